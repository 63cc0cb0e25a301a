from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from steerway.delivery.runtimes import actions, queries
from steerway.delivery.runtimes.errors import NoPortFree
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import (
    EVENTS,
    Ports,
    Process,
    ProcessState,
    Program,
    SealedSecret,
)
from steerway.platform.db import new_id
from steerway.platform.log.models import Event
from steerway.platform.work import Work
from tests.cast import NOON

PORTS = Ports(20000, 20003)


def place(
    work: Work, deployment: UUID, *indexes: int, ports: Ports | None = PORTS
) -> list[Replica]:
    return actions.place(
        work,
        deployment,
        service="shop",
        environment="production",
        indexes=indexes,
        ports=ports,
    )


def events() -> list[str]:
    return list(Event.objects.order_by("seq").values_list("type", flat=True))


def test_each_replica_gets_a_port_and_a_program_of_its_own(work: Work) -> None:
    deployment = new_id()

    placed = place(work, deployment, 0, 1)

    assert [it.port for it in placed] == [20000, 20001]
    end = deployment.hex[-8:]
    assert [it.program for it in placed] == [f"shop.production.{end}.{n}" for n in range(2)]
    assert queries.of_deployment(deployment) == placed
    assert queries.live("shop", "production") == placed
    assert queries.live_of(["shop", "other"]) == placed
    assert queries.live("shop", "testing") == []
    assert queries.wanted() == []
    assert events() == ["replicas.placed"]


def test_placing_again_gives_the_same_replicas_and_no_event(work: Work) -> None:
    deployment = new_id()
    first = place(work, deployment, 0)

    again = place(work, deployment, 0, 1)

    assert again[0] == first[0]
    assert [it.port for it in again] == [20000, 20001]
    assert place(work, deployment, 1, 0) == again[::-1]
    assert events() == ["replicas.placed"] * 2


def test_ports_of_strangers_are_left_alone(work: Work) -> None:
    placed = place(work, new_id(), 0, 1, ports=replace(PORTS, avoid={20000, 20002}))

    assert [it.port for it in placed] == [20001, 20003]


def test_a_program_that_serves_nothing_needs_no_port(work: Work) -> None:
    placed = place(work, new_id(), 0, 1, 2, ports=None)

    assert [it.port for it in placed] == [None, None, None]


def test_a_full_range_refuses_and_a_retired_replica_makes_room(work: Work) -> None:
    first = place(work, new_id(), 0, 1, 2, 3)
    with pytest.raises(NoPortFree, match="No port is free from 20000 to 20003"):
        place(work, new_id(), 0)

    assert actions.retire(work, first[1:2]) == 1

    assert [it.port for it in place(work, new_id(), 0)] == [20001]


def test_a_freed_port_comes_last(work: Work) -> None:
    actions.retire(work, place(work, new_id(), 0, 1))

    assert [it.port for it in place(work, new_id(), 0, 1)] == [20002, 20003]


def test_two_live_replicas_cannot_have_one_port(work: Work) -> None:
    (placed,) = place(work, new_id(), 0)
    twin = Replica(deployment_id=new_id(), index=0, program="x", port=placed.port, placed_at=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()


def test_a_replica_moves_away_from_a_stranger(work: Work) -> None:
    (placed,) = place(work, new_id(), 0)

    moved = actions.move(work, placed, ports=replace(PORTS, avoid={20000}))

    assert (moved.pk, moved.port) == (placed.pk, 20001)
    assert Replica.objects.get().port == 20001
    assert events()[-1] == "replica.moved"


def test_a_replica_keeps_its_program_until_it_is_retired(work: Work) -> None:
    (placed,) = place(work, new_id(), 0)
    program = Program(
        name=placed.program,
        command=("serve", "20000"),
        directory=Path("/releases/v1"),
        log=Path("/log/shop.log"),
        secrets={"KEY": SealedSecret("payment-key", "v1:sealed")},
        port=placed.port,
    )

    actions.equip(work, placed, program=program)
    actions.started(work, [placed])
    actions.admit(work, [placed], routed=True)

    (wanted,) = queries.wanted()
    assert (wanted.to_run(), wanted.routed) == (program, True)
    assert wanted.address == "127.0.0.1:20000"
    actions.rest(work, [placed])
    assert [(it.wanted, it.routed) for it in queries.live()] == [(False, False)]
    assert actions.retire(work, [placed]) == 1
    assert actions.retire(work, [placed]) == 0
    actions.started(work, [placed])
    assert queries.live("shop") == []
    gone = queries.by_program(placed.program)
    assert gone is not None
    assert (gone.retired_at, gone.wanted, gone.spec) == (NOON, False, {})
    assert events() == ["replicas.placed", "replicas.retired"]


UP = Process(name="shop", state=ProcessState.RUNNING, pid=1, started_at=NOON)
AGAIN = replace(UP, pid=2, exits=1, crashes=1, last_exit="terminated by SIGKILL")
PAUSED = replace(UP, state=ProcessState.BACKOFF, pid=None, started_at=None, exits=3, crashes=3)
BETWEEN = replace(UP, pid=4, exits=3, crashes=3)
SETTLED = replace(BETWEEN, started_at=NOON - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ([UP, UP], []),
        ([UP, AGAIN, AGAIN], ["replica.respawned"]),
        ([UP, PAUSED, PAUSED, BETWEEN, PAUSED], ["replica.crash-looping"]),
        ([UP, PAUSED, BETWEEN, SETTLED], ["replica.crash-looping", "replica.recovered"]),
        ([UP, replace(UP, pid=9)], []),
    ],
)
def test_what_is_seen_of_a_replica_is_said_once(
    work: Work, seen: list[Process], said: list[str]
) -> None:
    place(work, new_id(), 0)

    for process in seen:
        actions.note(work, Replica.objects.get(), process)

    assert events()[1:] == said
    now = Replica.objects.get()
    assert (now.pid, now.state, now.exits) == (seen[-1].pid, seen[-1].state, seen[-1].exits)


def test_two_who_see_the_same_say_it_once(work: Work) -> None:
    place(work, new_id(), 0)
    one, two = Replica.objects.get(), Replica.objects.get()

    actions.note(work, one, PAUSED)
    actions.note(work, two, PAUSED)

    assert events()[1:] == ["replica.crash-looping"]


def test_every_event_is_in_the_list() -> None:
    assert {name.partition(".")[0] for name in EVENTS} == {"replica", "replicas"}
    assert all(text.endswith(".") for text in EVENTS.values())
