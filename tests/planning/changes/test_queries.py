"""Reading changes and holds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from steerway.planning.changes import actions, queries
from steerway.planning.changes.actions import Intent
from steerway.planning.changes.errors import ChangeUnknown, HoldUnknown
from steerway.planning.changes.rules import State
from steerway.platform.work import Work

pytestmark = [pytest.mark.django_db, pytest.mark.database]

Meant = Callable[..., Intent]


def test_the_newest_come_first_page_by_page(work: Work, meant: Meant) -> None:
    for _ in range(5):
        actions.propose(work, meant())

    first = queries.newest(rows=2)
    second = queries.newest(before=first[-1].number, rows=2)

    assert [change.ref for change in first + second] == ["CHG-5", "CHG-4", "CHG-3", "CHG-2"]


def test_changes_of_one_service_or_environment(work: Work, meant: Meant) -> None:
    actions.propose(work, meant())
    actions.propose(work, meant(service="cart"))
    actions.propose(work, meant(environment="testing"))

    def refs(**wanted: str) -> list[str]:
        return [change.ref for change in queries.newest(**wanted)]  # type: ignore[arg-type] # names only

    assert refs(service="cart") == ["CHG-2"]
    assert refs(environment="testing") == ["CHG-3"]
    assert refs(service="shop", environment="production") == ["CHG-1"]
    assert refs(service="tea") == []


@pytest.mark.parametrize("ref", ["CHG-2", "nonsense", "", "CHG-" + "9" * 40])
def test_a_change_that_is_not_there(work: Work, meant: Meant, ref: str) -> None:
    actions.propose(work, meant())

    with pytest.raises(ChangeUnknown, match="`steerway changes` lists them"):
        queries.get(ref)


def test_a_change_by_its_name_or_number(work: Work, meant: Meant) -> None:
    change = actions.propose(work, meant())

    assert queries.get("CHG-1") == queries.get("chg-1") == queries.get("1") == change


def test_days_are_counted_by_state_and_days_without_are_absent(work: Work, meant: Meant) -> None:
    for days in (3, 1, 1, 0):
        then = replace(work, now=work.now - timedelta(days=days))
        change = actions.propose(then, meant())
        actions.close(then, change, state=State.FAILED if days else State.IMPLEMENTED)

    found = queries.by_day(work.now - timedelta(days=2))

    assert [(str(day.day), day.state, day.count) for day in found] == [
        ("2026-03-01", "failed", 2),
        ("2026-03-02", "implemented", 1),
    ]


def test_holds_in_force_of_some_services_and_of_everything(work: Work) -> None:
    actions.hold(work, service="shop", reason="x")
    actions.hold(work, service="cart", reason="x")
    lifted = actions.hold(work, service="shop", reason="x")
    actions.lift(work, lifted)
    actions.freeze(work, reason="x")

    def refs(services: list[str] | None) -> list[str]:
        return [held.ref for held in queries.open_holds(services)]

    assert refs(None) == ["HLD-4", "HLD-2", "HLD-1"]
    assert refs(["shop"]) == ["HLD-4", "HLD-1"]
    assert refs([]) == ["HLD-4"]


def test_a_hold_in_force_by_its_name(work: Work) -> None:
    held = actions.hold(work, service="shop", reason="x")
    assert queries.hold("HLD-1") == held

    actions.lift(work, held)

    with pytest.raises(HoldUnknown, match="There is no open hold HLD-1"):
        queries.hold("HLD-1")


def test_a_hold_is_not_the_freeze(work: Work) -> None:
    actions.hold(work, service="shop", reason="x")
    assert queries.freeze() is None

    frozen = actions.freeze(work, reason="x")

    assert queries.freeze() == frozen
