"""The replicas of a deployment: placed, started, asked after their health, stopped."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from typing import Final
from uuid import UUID

from steerway.delivery.deployments.errors import Died, NotUp, Unhealthy
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.releases import rules as releases
from steerway.delivery.runtimes import actions, queries
from steerway.delivery.runtimes.adapters import sockets
from steerway.delivery.runtimes.descriptor import HealthSection, RunSection
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import Placement, Ports, Process, SealedSecret, program
from steerway.delivery.senders import actions as senders
from steerway.platform.db import reading, unit_of_work
from steerway.platform.keys import key
from steerway.platform.secrets import queries as secrets

PROBE_SECONDS: Final = 2.0
# A quick program is seen quickly, a slow one is not asked all the time: the pause is this part
# of the time it has taken so far, between the first pause and the descriptor's interval.
PAUSE_RATIO: Final = 0.1
FIRST_PAUSE_SECONDS: Final = 0.02
# A worker has no port to ask; it is taken for healthy once it has lived so long.
WORKER_SECONDS: Final = 1.0
# Ends before the first good answer: the second is no accident.
ENDS_MAX: Final = 2
TAIL_BYTES: Final = 2000
OK: Final = range(200, 300)


def place(ground: Ground, deployment: Deployment) -> list[Replica]:
    """Rows and ports for all replicas; the same ones when asked again."""
    run = RunSection.stored(deployment.plan["run"])
    ports = Ports(*ground.replica_ports, avoid=sockets.listening_ports())
    with unit_of_work():
        return actions.place(
            ground.work(),
            deployment.id,
            service=deployment.service,
            environment=deployment.environment,
            indexes=range(run.replicas),
            ports=ports if run.port == "auto" else None,
        )


def start(ground: Ground, deployment: Deployment, index: int) -> None:
    """Have one replica run with the deployment's release, configuration and secrets."""
    run = RunSection.stored(deployment.plan["run"])
    with reading():
        replica = queries.of_deployment(deployment.id)[index]
        sealed = secrets.sealed(deployment.service, deployment.environment, run.secrets)
    assert deployment.release is not None
    placement = Placement(
        service=deployment.service,
        environment=deployment.environment,
        deployment=deployment.id,
        index=index,
        port=replica.port,
        release=deployment.release.name,
        directory=ground.store.path(deployment.release.digest),
        state=ground.state_of(deployment.service, deployment.environment),
        log=ground.log / f"{replica.program}.log",
    )
    opened = {name: SealedSecret(run.secrets[name], text) for name, text in sealed.items()}
    manifest = ground.store.manifest(deployment.release.digest)
    search = releases.search(placement.directory, manifest)
    wanted = program(run, placement, secrets=opened, search=search)
    flags = ground.flags_of(deployment.service, deployment.environment)
    own = {**releases.variables(placement.directory, manifest), "STEERWAY_FLAGS_FILE": str(flags)}
    wanted = replace(wanted, environment={**own, **wanted.environment})
    sender = ""
    if ground.telemetry and deployment.plan.get("telemetry", {}).get("send", True):
        opener = key(ground.home, "secrets")
        wanted, sender = senders.able_to_send(
            replica, wanted, version=deployment.version, door=ground.telemetry, key=opener
        )
    with unit_of_work():
        actions.equip(ground.work(), replica, program=wanted, sender=sender)
        actions.started(ground.work(), [replica])
    ground.supervisor.add(wanted)
    ground.supervisor.start(replica.program)


def revive(ground: Ground, deployment: Deployment) -> None:
    """Have the replicas of an earlier deployment run again as they did, and wait for them."""
    with unit_of_work():
        stopped = [r for r in queries.of_deployment(deployment.id) if r.retired_at is None]
        actions.started(ground.work(), stopped)
    for replica in stopped:
        ground.supervisor.add(replica.to_run())
        ground.supervisor.start(replica.program)
    await_healthy(ground, deployment, [r.index for r in stopped], lambda: None)


def await_healthy(
    ground: Ground, deployment: Deployment, indexes: Sequence[int], check: Callable[[], None]
) -> None:
    """Return when these replicas answer as healthy. `check` may raise to stop the waiting.

    Raises:
        Died: one ends again and again.
        Unhealthy: one does not get healthy in time.
    """
    health = RunSection.stored(deployment.plan["run"]).health
    with reading():
        placed = queries.of_deployment(deployment.id)
    waiting = [placed[index] for index in indexes]
    began = time.monotonic()
    until = began + health.timeout.total_seconds()
    while waiting:
        check()
        processes = ground.supervisor.processes()
        for replica in waiting:
            _refuse_dead(ground, replica, processes[replica.program])
        answers = {r.program: _answer(r, health, processes[r.program]) for r in waiting}
        waiting = [r for r in waiting if answers[r.program]]
        if waiting and time.monotonic() > until:
            first = waiting[0]
            raise _unhealthy(ground, first, health, answers[first.program])
        if waiting:
            pause = max(FIRST_PAUSE_SECONDS, PAUSE_RATIO * (time.monotonic() - began))
            time.sleep(min(pause, health.interval.total_seconds()))
    _note(ground, deployment.id, frozenset(indexes))


def stop(ground: Ground, replicas: Iterable[Replica]) -> None:
    """End replicas with all their processes; they keep their place."""
    going = list(replicas)
    with unit_of_work():
        actions.rest(ground.work(), going)
    for replica in going:
        ground.supervisor.stop(replica.program)


def retire(ground: Ground, deployment_id: UUID) -> None:
    """Remove the replicas of a deployment for good; their logs stay."""
    with unit_of_work():
        gone = [r for r in queries.of_deployment(deployment_id) if r.retired_at is None]
        # First, so that one that cannot be ended now is not started again by reconciliation.
        actions.rest(ground.work(), gone)
    for replica in gone:
        ground.supervisor.remove(replica.program)
    with unit_of_work():
        actions.retire(ground.work(), gone)


def _note(ground: Ground, deployment_id: UUID, indexes: frozenset[int]) -> None:
    """What is seen of replicas now, so that nobody is told of fewer until the next look.

    The rows are read anew: reconciliation may have noted something since they were placed.
    """
    processes = ground.supervisor.processes()
    with unit_of_work():
        for replica in queries.of_deployment(deployment_id):
            if replica.index in indexes:
                actions.note(ground.work(), replica, processes[replica.program])


def _refuse_dead(ground: Ground, replica: Replica, process: Process) -> None:
    if process.problem or process.exits >= ENDS_MAX:
        raise _with_tail(
            ground,
            replica,
            Died(replica=replica.program, ending=process.problem or process.last_exit),
        )


def _unhealthy(ground: Ground, replica: Replica, health: HealthSection, answer: str) -> NotUp:
    reason = answer
    if replica.port and answer.startswith("no answer"):
        reason = ground.supervisor.why_not_listening(replica.program, replica.port)
    seconds = health.timeout.total_seconds()
    error = Unhealthy(replica=replica.program, seconds=seconds, reason=reason)
    return _with_tail(ground, replica, error)


def _with_tail(ground: Ground, replica: Replica, error: NotUp) -> NotUp:
    tail = ground.supervisor.tail(replica.program, TAIL_BYTES)
    # The first line is probably cut.
    error.log_tail = tail.partition("\n")[2] if len(tail) >= TAIL_BYTES else tail
    return error


def _answer(replica: Replica, health: HealthSection, process: Process) -> str:
    """Empty when the replica is healthy; else what it said instead."""
    if not process.is_up:
        return f"no answer: it is {process.state}"
    if replica.port is None:
        lived = time.time() - process.started_at.timestamp() if process.started_at else 0.0
        return "" if lived >= WORKER_SECONDS else "no answer: it has just started"
    return _probe(replica.port, health.path)


def _probe(port: int, path: str) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", path, headers={"User-Agent": "steerway-health"})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"no answer: {error}"
    finally:
        connection.close()
    return "" if status in OK else f"GET {path} answers {status}"
