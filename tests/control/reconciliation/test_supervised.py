"""Looks at programs under a real supervisord: what is not as recorded is made so, and no more."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from steerway.app import descriptor
from steerway.app.descriptor_declared import declared
from steerway.control.reconciliation.workflows import Reconciler
from steerway.delivery.deployments import actions as deployments
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.runtimes import actions as runtimes
from steerway.delivery.runtimes.adapters import proc
from steerway.delivery.runtimes.adapters.supervisor import Supervisor
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import ProcessState, Program
from steerway.planning.catalog import actions as catalog
from steerway.planning.catalog import queries as services
from steerway.planning.catalog.models import Service
from steerway.platform.log.models import Event
from steerway.platform.work import Work

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SHOP = """steerway: 1
service: {name}
run: {{command: sleep 1000, port: none, replicas: 2}}
environments: [{{name: testing}}, {{name: production}}]
"""


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """A supervisord in a short home of its own."""
    home = Path(tempfile.mkdtemp(prefix="sw"))
    made = Supervisor(home / "run", home / "log", home / "key")
    made.ensure()
    yield made
    made.shutdown()
    shutil.rmtree(home)


@pytest.fixture
def reconciler(
    supervisor: Supervisor, work: Work, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reconciler]:
    """Looks at a shop that is declared; the router is well, and left out."""
    monkeypatch.setattr(Reconciler, "keep_router", lambda self, processes: None)
    for name in ("shop", "ledger"):
        text = SHOP.format(name=name)
        catalog.apply(work, declared(descriptor.load(text, "steerway.yaml")))
    nothing = cast("Any", None)
    yield Reconciler(
        Ground(
            home=Path(tempfile.gettempdir()),
            replica_ports=(1, 1),
            git=nothing,
            builder=nothing,
            store=nothing,
            supervisor=supervisor,
            envoy=nothing,
            work=lambda: work,
        )
    )
    for name in supervisor.processes():
        supervisor.remove(name)


@pytest.fixture
def replicas(reconciler: Reconciler, work: Work) -> list[Replica]:
    """Two replicas of the shop in production, which run as they should."""
    deployment = deployments.start(work, Wish("shop", "production"))
    deployments.finish(work, deployment)
    return placed(reconciler, work, deployment)


def placed(reconciler: Reconciler, work: Work, deployment: Deployment) -> list[Replica]:
    """Replicas of a deployment, equipped, wanted and started."""
    found = runtimes.place(
        work,
        deployment.id,
        service=deployment.service,
        environment=deployment.environment,
        indexes=range(2),
        ports=None,
    )
    supervisor = reconciler.ground.supervisor
    for replica in found:
        program = Program(
            name=replica.program,
            command=("sleep", "1000"),
            directory=supervisor.run,
            log=supervisor.run / f"{replica.program}.out",
        )
        runtimes.equip(work, replica, program=program)
        supervisor.add(program)
        supervisor.start(replica.program)
    runtimes.started(work, found)
    for replica in found:
        until(reconciler, replica, ProcessState.RUNNING)
    return found


def state(reconciler: Reconciler, replica: Replica) -> ProcessState | None:
    """How supervisord sees a replica; None when it does not know it."""
    process = reconciler.ground.supervisor.processes().get(replica.program)
    return process.state if process else None


def until(reconciler: Reconciler, replica: Replica, wanted: ProcessState) -> None:
    assert proc.wait(lambda: state(reconciler, replica) is wanted, 10)


def told(kind: str) -> list[str]:
    """What the log says of a kind: whom, in order."""
    return [event.subject for event in Event.objects.filter(type=kind).order_by("seq")]


def test_what_runs_as_recorded_is_left_alone(
    reconciler: Reconciler, replicas: list[Replica]
) -> None:
    before = {n: p.pid for n, p in reconciler.ground.supervisor.processes().items()}
    events = Event.objects.count()

    reconciler.look()
    reconciler.look()

    assert {n: p.pid for n, p in reconciler.ground.supervisor.processes().items()} == before
    assert Event.objects.count() == events


def test_a_replica_that_supervisord_does_not_know_is_started_and_told_of(
    reconciler: Reconciler, replicas: list[Replica]
) -> None:
    lost, other = replicas
    reconciler.ground.supervisor.remove(lost.program)

    reconciler.look()

    until(reconciler, lost, ProcessState.RUNNING)
    assert state(reconciler, other) is ProcessState.RUNNING
    assert told("replica.restored") == [lost.program]
    assert '"was":"missing"' in Event.objects.get(type="replica.restored").data


def test_a_replica_that_was_put_to_sleep_is_woken(
    reconciler: Reconciler, replicas: list[Replica]
) -> None:
    asleep, _ = replicas
    reconciler.ground.supervisor.stop(asleep.program)

    reconciler.look()

    until(reconciler, asleep, ProcessState.RUNNING)
    assert '"was":"asleep"' in Event.objects.get(type="replica.restored").data


def test_a_replica_that_should_rest_is_stopped(
    reconciler: Reconciler, replicas: list[Replica], work: Work
) -> None:
    surplus, wanted = replicas
    runtimes.rest(work, [surplus])

    reconciler.look()

    assert state(reconciler, surplus) is ProcessState.STOPPED
    assert state(reconciler, wanted) is ProcessState.RUNNING


def disturb(reconciler: Reconciler, replicas: list[Replica]) -> None:
    """Somebody else takes one replica away and stops the other."""
    reconciler.ground.supervisor.remove(replicas[0].program)
    reconciler.ground.supervisor.stop(replicas[1].program)


def pause(work: Work) -> None:
    catalog.pause(work, services.get("shop"), reason="Looking by hand")


def deploy(work: Work) -> None:
    deployments.start(work, Wish("shop", "production", force=True))


@pytest.mark.parametrize("claim", [pause, deploy])
def test_what_somebody_else_looks_after_is_left_alone(
    reconciler: Reconciler, replicas: list[Replica], work: Work, claim: Callable[[Work], None]
) -> None:
    claim(work)
    disturb(reconciler, replicas)

    reconciler.look()

    assert state(reconciler, replicas[0]) is None
    assert state(reconciler, replicas[1]) is ProcessState.STOPPED
    assert told("replica.restored") == []


@pytest.mark.parametrize("wish", [Wish("shop", "testing"), Wish("ledger", "production")])
def test_a_deployment_elsewhere_keeps_nobody_from_their_care(
    reconciler: Reconciler, replicas: list[Replica], work: Work, wish: Wish
) -> None:
    deployments.start(work, wish)
    disturb(reconciler, replicas)

    reconciler.look()

    for replica in replicas:
        until(reconciler, replica, ProcessState.RUNNING)


def test_after_a_pause_all_is_made_as_recorded(
    reconciler: Reconciler, replicas: list[Replica], work: Work
) -> None:
    pause(work)
    disturb(reconciler, replicas)
    reconciler.look()
    catalog.resume(work, services.get("shop"))

    reconciler.look()

    for replica in replicas:
        until(reconciler, replica, ProcessState.RUNNING)


def test_what_lives_on_another_server_is_not_started_here(
    reconciler: Reconciler, replicas: list[Replica]
) -> None:
    Service.objects.filter(name="shop").update(node="another")
    disturb(reconciler, replicas)

    reconciler.look()

    assert state(reconciler, replicas[0]) is None


def test_a_replica_that_is_killed_comes_back_and_is_told_of_once(
    reconciler: Reconciler, replicas: list[Replica]
) -> None:
    killed = replicas[0]
    reconciler.look()
    before = reconciler.ground.supervisor.processes()[killed.program].pid
    assert before

    os.kill(before, 9)
    assert proc.wait(
        lambda: reconciler.ground.supervisor.processes()[killed.program].pid not in (None, before),
        10,
    )
    reconciler.look()
    reconciler.look()

    assert told("replica.respawned") == [killed.program]
    killed.refresh_from_db()
    assert killed.exits == 1


def test_a_supervisord_that_is_killed_is_replaced_and_told_of(
    reconciler: Reconciler, replicas: list[Replica]
) -> None:
    supervisor = reconciler.ground.supervisor
    before = {name: process.pid for name, process in supervisor.processes().items()}
    pid = supervisor.pid()
    os.kill(pid, 9)
    assert proc.wait(lambda: proc.stat(pid) is None or proc.stat(pid).state == "Z", 5)  # type: ignore[union-attr] # asked just before

    reconciler.look()

    assert told("supervisor.restarted") == ["supervisord"]
    for replica in replicas:
        until(reconciler, replica, ProcessState.RUNNING)
    assert {name: process.pid for name, process in supervisor.processes().items()} == before
    assert told("replica.restored") == []
