"""Two people pull the same brake at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from steerway.planning.changes import actions
from steerway.planning.changes.errors import AlreadyFrozen, HoldUnknown
from steerway.planning.changes.models import Hold
from steerway.platform.db import unit_of_work
from steerway.platform.errors import SteerwayError
from steerway.platform.log.models import Event
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.cast import NOON, Started, actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

PEOPLE = ("alice", "olga")


def at_once(task: Callable[[Work], object]) -> list[str]:
    """How each of two people fares who do the same at the same moment, sorted."""
    together = Barrier(len(PEOPLE))

    def do(name: str) -> str:
        work = Work(actor=actor(name, Role.ADMIN), now=NOON, starter=Started())
        together.wait()
        try:
            with unit_of_work():
                task(work)
        except SteerwayError as error:
            return type(error).__name__
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(len(PEOPLE)) as pool:
        return sorted(pool.map(do, PEOPLE))


def test_two_who_freeze_at_once_make_one_freeze() -> None:
    ends = at_once(lambda work: actions.freeze(work, reason=f"Audit by {work.actor.name}"))

    assert ends == [AlreadyFrozen.__name__, "done"]
    assert Hold.objects.filter(lifted_at=None).count() == 1
    assert Event.objects.filter(type="freeze.placed").count() == 1


def test_two_who_lift_at_once_lift_once() -> None:
    work = Work(actor=actor("alice", Role.ADMIN), now=NOON, starter=Started())
    with unit_of_work():
        held = actions.hold(work, service="shop", reason="x")

    ends = at_once(lambda work: actions.lift(work, held))

    assert ends == [HoldUnknown.__name__, "done"]
    assert Event.objects.filter(type="hold.lifted").count() == 1
