"""Giving replicas a place, a program and an end, and noting what is seen of them."""

from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from steerway.delivery.runtimes.errors import NoPortFree
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import (
    Ports,
    Process,
    ProcessState,
    Program,
    is_looping,
    next_port,
    program_name,
    stored,
)
from steerway.platform.work import Work

# Each lost race means that somebody else got a port, so a few are plenty.
RACES_MAX = 20
LAST_EXIT_LENGTH_MAX = 200


def place(
    work: Work,
    deployment_id: UUID,
    *,
    service: str,
    environment: str,
    indexes: Iterable[int],
    ports: Ports | None,
) -> list[Replica]:
    """The replicas of a deployment by index, each with a port of its own; placed once.

    `ports` is None for programs that serve nothing.

    Raises:
        NoPortFree: the range is used up.
    """
    asked = list(indexes)
    rows = Replica.objects.filter(deployment_id=deployment_id, index__in=asked)
    found = {replica.index: replica for replica in rows}
    missing = [index for index in asked if index not in found]
    for index in missing:
        draft = Replica(
            deployment_id=deployment_id,
            service=service,
            environment=environment,
            index=index,
            program=program_name(service, environment, deployment_id, index),
            placed_at=work.now,
        )
        found[index] = _settle(draft, ports)
    if missing:
        new = [found[index] for index in missing]
        _say(work, "replicas.placed", str(deployment_id), new, ports=[it.port for it in new])
    return [found[index] for index in asked]


def move(work: Work, replica: Replica, *, ports: Ports) -> Replica:
    """The replica on another port, because a stranger has taken its own; equip it again.

    Raises:
        NoPortFree: the range is used up.
    """
    before, replica.spec = replica.port, {}
    _settle(replica, ports)
    _say(work, "replica.moved", replica.program, [replica], before=before, port=replica.port)
    return replica


def equip(work: Work, replica: Replica, *, program: Program, sender: str = "") -> None:
    """Note the program that a replica is to run, secrets sealed.

    `sender` is the hash of the token that it may send telemetry with until it is retired.
    """
    assert program.name == replica.program
    replica.spec, replica.sender = stored(program), sender
    replica.save(update_fields=["spec", "sender"])


def started(work: Work, replicas: Iterable[Replica]) -> None:
    """Note that replicas are to run from now on."""
    _live(replicas).update(wanted=True)


def rest(work: Work, replicas: Iterable[Replica]) -> None:
    """Note that replicas are not to run now, though they are not retired."""
    _live(replicas).update(wanted=False, routed=False)


def admit(work: Work, replicas: Iterable[Replica], *, routed: bool) -> None:
    """Note whether the router may send requests to replicas."""
    _live(replicas).update(routed=routed)


def retire(work: Work, replicas: Iterable[Replica]) -> int:
    """End replicas for good and free their ports; how many were not retired before.

    Do it after their programs are removed: a freed port may be given away at once.
    """
    live = list(_live(replicas).select_for_update())
    _live(live).update(
        retired_at=work.now,
        wanted=False,
        routed=False,
        spec={},
        sender="",
        state=ProcessState.STOPPED.value,
        pid=None,
        looping=False,
    )
    for deployment_id in sorted({it.deployment_id for it in live}):
        gone = [it for it in live if it.deployment_id == deployment_id]
        _say(work, "replicas.retired", str(deployment_id), gone)
    return len(live)


def note(work: Work, replica: Replica, seen: Process) -> None:
    """Keep what was seen of a replica, and record once what people should know.

    It came back by itself, it is in a crash loop, or it has got over one. When nothing has
    changed, nothing is written.
    """
    looping = is_looping(seen, was=replica.looping, now=work.now)
    last_exit = seen.last_exit[:LAST_EXIT_LENGTH_MAX]
    before = (replica.pid, replica.state, replica.exits, replica.last_exit, replica.looping)
    if (seen.pid, seen.state.value, seen.exits, last_exit, looping) == before:
        return
    is_new = seen.exits > replica.exits and seen.pid is not None
    fresh = {
        "pid": seen.pid,
        "state": seen.state.value,
        "started_at": seen.started_at,
        "exits": seen.exits,
        "last_exit": last_exit,
        "looping": looping,
        "seen_at": work.now,
    }
    # Only whoever changes the row that was read may tell of it, so two servers say it once.
    rows = Replica.objects.filter(pk=replica.pk, seen_at=replica.seen_at, retired_at=None)
    if not rows.update(**fresh):
        return
    facts = {"pid": seen.pid, "exits": seen.exits, "last_exit": last_exit}
    if looping and not replica.looping:
        _say(work, "replica.crash-looping", replica.program, [replica], **facts)
    elif replica.looping and not looping:
        _say(work, "replica.recovered", replica.program, [replica], **facts)
    elif is_new and not looping:
        _say(work, "replica.respawned", replica.program, [replica], **facts)


def _live(replicas: Iterable[Replica]) -> QuerySet[Replica]:
    return Replica.objects.filter(pk__in=[it.pk for it in replicas], retired_at=None)


def _say(work: Work, kind: str, subject: str, replicas: list[Replica], **facts: object) -> None:
    work.record(
        kind,
        subject,
        service=replicas[0].service,
        environment=replicas[0].environment,
        programs=[it.program for it in replicas],
        **facts,
    )


def _settle(replica: Replica, ports: Ports | None) -> Replica:
    """Save the replica with a port that nobody else has."""
    if ports is None:
        replica.save()
        return replica
    given = Replica.objects.filter(port__range=(ports.first, ports.last))
    for _ in range(RACES_MAX):
        taken = set(given.filter(retired_at=None).values_list("port", flat=True))
        last = given.order_by("-id").values_list("port", flat=True).first()
        replica.port = next_port(ports, after=last, taken=taken)
        if replica.port is None:
            break
        try:
            with transaction.atomic():
                replica.save()
        except IntegrityError:  # somebody took it in this moment
            continue
        return replica
    raise NoPortFree(first=ports.first, last=ports.last)
