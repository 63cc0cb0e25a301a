"""Changes open and close once; holds and freezes keep them from starting."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from steerway.planning.changes import actions, queries
from steerway.planning.changes.actions import Intent
from steerway.planning.changes.errors import (
    AlreadyFrozen,
    Held,
    HoldUnknown,
    NotFrozen,
    ReasonMissing,
)
from steerway.planning.changes.models import Change, Hold
from steerway.planning.changes.rules import Kind, State
from steerway.platform.errors import Forbidden
from steerway.platform.log.models import Event
from steerway.platform.work import Work

pytestmark = [pytest.mark.django_db, pytest.mark.database]

Meant = Callable[..., Intent]


def types() -> list[str]:
    """What the log says has happened, in order."""
    return [event.type for event in Event.objects.order_by("seq")]


def test_a_change_says_who_means_to_alter_what_and_why(work: Work, meant: Meant) -> None:
    change = actions.propose(work, meant(why="Faster search", facts={"ref": "v2"}))

    assert (change.ref, change.state, change.requested_by) == ("CHG-1", "open", "alice")
    assert (change.opened_at, change.facts) == (work.now, {"ref": "v2"})
    event = Event.objects.get()
    assert (event.type, event.subject, event.service, event.environment) == (
        "change.opened",
        "CHG-1",
        "shop",
        "production",
    )
    assert '"why":"Faster search"' in event.data


def test_changes_are_numbered_as_they_come(work: Work, meant: Meant) -> None:
    refs = [actions.propose(work, meant()).ref for _ in range(3)]

    assert refs == ["CHG-1", "CHG-2", "CHG-3"]


def test_a_change_is_closed_once_with_its_outcome(work: Work, meant: Meant) -> None:
    change = actions.propose(work, meant())
    later = replace(work, now=work.now + timedelta(minutes=3))

    assert actions.close(later, change, state=State.IMPLEMENTED, outcome="v2 serves.")
    assert not actions.close(later, change, state=State.FAILED, outcome="It burns.")

    closed = queries.get("CHG-1")
    assert (closed.state, closed.outcome, closed.closed_at) == (
        "implemented",
        "v2 serves.",
        later.now,
    )
    assert types() == ["change.opened", "change.implemented"]


def test_what_is_done_in_one_go_is_opened_and_closed_at_once(work: Work, meant: Meant) -> None:
    change = actions.note(work, meant(kind=Kind.DESCRIPTOR), outcome="2 values")

    assert queries.get(change.ref).state == "implemented"
    assert types() == ["change.opened", "change.implemented"]


def test_a_hold_keeps_changes_of_its_service_from_starting(work: Work, meant: Meant) -> None:
    actions.hold(work, service="shop", reason="Stock-taking")

    with pytest.raises(Held, match=r"shop is on hold: Stock-taking \(HLD-1, by alice\)"):
        actions.propose(work, meant())

    actions.propose(work, meant(service="cart"))
    assert Change.objects.count() == 1


def test_the_newest_reason_is_told(work: Work, meant: Meant) -> None:
    actions.hold(work, service="shop", reason="First")
    actions.hold(work, service="shop", reason="Second")

    with pytest.raises(Held, match="Second"):
        actions.propose(work, meant())


def test_a_lifted_hold_holds_nothing(work: Work, meant: Meant) -> None:
    held = actions.hold(work, service="shop", reason="Stock-taking")
    actions.lift(work, held)

    actions.propose(work, meant())

    held.refresh_from_db()
    assert (held.lifted_by, held.lifted_at) == ("alice", work.now)
    assert types() == ["hold.placed", "hold.lifted", "change.opened"]


def test_two_holds_of_one_service_are_lifted_one_by_one(work: Work, meant: Meant) -> None:
    first = actions.hold(work, service="shop", reason="First")
    actions.hold(work, service="shop", reason="Second")
    actions.lift(work, first)

    with pytest.raises(Held, match="Second"):
        actions.propose(work, meant())


def test_a_hold_is_lifted_once(work: Work) -> None:
    held = actions.hold(work, service="shop", reason="Stock-taking")
    actions.lift(work, held)

    with pytest.raises(HoldUnknown, match="There is no open hold HLD-1"):
        actions.lift(work, held)

    assert types() == ["hold.placed", "hold.lifted"]


def test_a_freeze_keeps_everything_from_starting(work: Work, meant: Meant) -> None:
    actions.freeze(work, reason="Audit")

    for service in ("shop", "cart"):
        with pytest.raises(Held, match="Everything is on hold: Audit"):
            actions.propose(work, meant(service=service))


def test_there_is_one_freeze(work: Work) -> None:
    actions.freeze(work, reason="Audit")

    with pytest.raises(AlreadyFrozen, match=r"frozen already: Audit \(HLD-1, by alice\)"):
        actions.freeze(work, reason="Holidays")

    assert Hold.objects.count() == 1
    assert types() == ["freeze.placed"]


def test_after_a_thaw_one_may_freeze_again(work: Work, meant: Meant) -> None:
    actions.freeze(work, reason="Audit")
    actions.thaw(work)
    actions.propose(work, meant())

    assert actions.freeze(work, reason="Holidays").ref == "HLD-2"
    assert types() == ["freeze.placed", "freeze.lifted", "change.opened", "freeze.placed"]


def test_nothing_is_thawed_that_is_not_frozen(work: Work) -> None:
    actions.hold(work, service="shop", reason="A hold is no freeze")

    with pytest.raises(NotFrozen, match="Changes are not frozen"):
        actions.thaw(work)


def test_a_rollback_passes_every_hold(work: Work, meant: Meant) -> None:
    actions.freeze(work, reason="Audit")
    actions.hold(work, service="shop", reason="Stock-taking")

    change = actions.propose(work, meant(kind=Kind.ROLLBACK))

    assert change.state == "open"


def test_an_emergency_passes_every_hold_and_says_why(work: Work, meant: Meant) -> None:
    actions.freeze(work, reason="Audit")

    change = actions.propose(work, meant(emergency=True, why="The shop is down"))

    assert (change.emergency, change.why) == (True, "The shop is down")
    assert '"emergency":true' in Event.objects.get(type="change.opened").data


@pytest.mark.parametrize("why", ["", "  \n"])
def test_an_emergency_without_a_reason_is_none(work: Work, meant: Meant, why: str) -> None:
    with pytest.raises(ReasonMissing, match="Say it with --why"):
        actions.propose(work, meant(emergency=True, why=why))

    assert Change.objects.count() == 0


def test_only_who_may_lift_holds_may_call_an_emergency(dave: Work, meant: Meant) -> None:
    with pytest.raises(Forbidden, match=r"dave may not changes\.override on shop"):
        actions.propose(dave, meant(emergency=True, why="I am in a hurry"))


@pytest.mark.parametrize(
    "brake",
    [
        lambda work: actions.hold(work, service="shop", reason="x"),
        lambda work: actions.freeze(work, reason="x"),
    ],
)
def test_a_developer_places_no_brakes(dave: Work, brake: Callable[[Work], object]) -> None:
    with pytest.raises(Forbidden, match="dave may not changes"):
        brake(dave)

    assert Hold.objects.count() == 0


def test_a_developer_lifts_no_brakes(work: Work, dave: Work) -> None:
    frozen = actions.freeze(work, reason="Audit")

    with pytest.raises(Forbidden, match=r"dave may not changes\.freeze"):
        actions.lift(dave, frozen)
    with pytest.raises(Forbidden):
        actions.thaw(dave)

    assert queries.freeze() == frozen
