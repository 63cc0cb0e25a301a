"""Rollouts in steps: at their time, once, and never past a brake."""

from dataclasses import replace
from datetime import timedelta

import pytest

from steerway.delivery.declarations import queries
from steerway.delivery.declarations.actions import declaring
from steerway.delivery.declarations.actions.publishing import Target
from steerway.delivery.flags import actions as deciding
from steerway.delivery.rollouts import actions as rollouts
from steerway.delivery.rollouts import queries as rolling
from steerway.delivery.rollouts.errors import NoRollout, RolloutRunning, StepsInvalid
from steerway.delivery.rollouts.models import Rollout
from steerway.delivery.rollouts.rules import RolloutState, steps_of
from steerway.planning.catalog import actions as catalog
from steerway.planning.catalog import queries as services
from steerway.planning.changes import actions as changes
from steerway.planning.changes.models import Change
from steerway.platform.log.models import Event
from steerway.platform.work import Work
from tests.delivery.flags.conftest import file, flag

HERE = Target("shop", "new-checkout", "production")
HOUR = timedelta(hours=1)
STEPS = steps_of("20%,50%@1h,100%@1d")


def later(work: Work, wait: timedelta) -> Work:
    return replace(work, now=work.now + wait)


def look(work: Work) -> None:
    """What the server does every moment."""
    for rollout in rolling.due(work.now):
        deciding.step(work, rollout)


def share() -> float | None:
    return queries.place(queries.get("shop", "new-checkout"), "production").share


def test_steps_are_taken_at_their_time_and_the_change_ends_with_the_last(
    work: Work, shop: str
) -> None:
    started = deciding.roll_out(work, HERE, steps=STEPS)
    assert (share(), Change.objects.get(pk=started.change_id).state) == (20.0, "open")

    look(later(work, HOUR - timedelta(seconds=1)))
    assert share() == 20.0
    look(later(work, HOUR))
    assert share() == 50.0
    look(later(work, timedelta(hours=25)))

    assert share() == 100.0
    assert Rollout.objects.get().state == RolloutState.DONE
    assert Change.objects.get(pk=started.change_id).state == "implemented"


def test_a_step_is_taken_once_whoever_takes_it(work: Work, shop: str) -> None:
    deciding.roll_out(work, HERE, steps=STEPS)
    then = later(work, HOUR)
    (seen_by_two,) = rolling.due(then.now)

    deciding.step(then, seen_by_two)
    deciding.step(then, seen_by_two)

    assert (share(), Rollout.objects.get().position) == (50.0, 2)
    assert Event.objects.filter(type="rollout.stepped").count() == 2


def test_after_a_long_absence_steps_keep_their_distance(work: Work, shop: str) -> None:
    deciding.roll_out(work, HERE, steps=STEPS)
    back = later(work, timedelta(days=9))

    look(back)
    look(back)

    assert share() == 50.0
    assert Rollout.objects.get().next_at == back.now + timedelta(days=1)


def test_a_rollout_may_begin_later(work: Work, shop: str) -> None:
    deciding.roll_out(work, HERE, steps=STEPS, begins_at=work.now + HOUR)

    look(work)
    assert share() == 10.0
    look(later(work, HOUR))
    assert share() == 20.0


@pytest.mark.parametrize("brake", ["hold", "freeze", "pause"])
def test_a_step_waits_while_a_brake_is_on_and_says_so_once(
    work: Work, shop: str, brake: str
) -> None:
    deciding.roll_out(work, HERE, steps=STEPS)
    if brake == "hold":
        changes.hold(work, service="shop", reason="an audit")
    elif brake == "freeze":
        changes.freeze(work, reason="an audit")
    else:
        catalog.pause(work, services.get("shop"), reason="an audit")
    then = later(work, HOUR)

    look(then)
    look(then)

    assert share() == 20.0
    assert "an audit" in Rollout.objects.get().waits_for
    assert Event.objects.filter(type="rollout.waiting").count() == 1


def test_turning_off_stops_the_rollout(work: Work, shop: str) -> None:
    started = deciding.roll_out(work, HERE, steps=STEPS)

    deciding.turn_off(work, HERE, reason="It loses orders.")
    look(later(work, HOUR))

    assert (share(), Rollout.objects.get().state) == (0.0, RolloutState.STOPPED)
    assert Change.objects.get(pk=started.change_id).state == "cancelled"


def test_a_retired_flag_stops_its_rollout(work: Work, shop: str) -> None:
    deciding.roll_out(work, HERE, steps=STEPS)
    declaring.apply(work, "shop", file(other=flag()))

    look(later(work, HOUR))

    assert Rollout.objects.get().state == RolloutState.STOPPED


def test_a_rule_that_cannot_follow_any_more_fails_the_rollout(work: Work, shop: str) -> None:
    started = deciding.roll_out(work, HERE, steps=STEPS)
    declaring.apply(work, "shop", file(new_checkout=flag({"starts_with": [{"var": "a"}, "b"]})))

    look(later(work, HOUR))

    assert Rollout.objects.get().state == RolloutState.STOPPED
    assert Change.objects.get(pk=started.change_id).state == "failed"


def test_one_rollout_at_a_time_and_stopping_keeps_what_users_have(work: Work, shop: str) -> None:
    deciding.roll_out(work, HERE, steps=STEPS)

    with pytest.raises(RolloutRunning):
        deciding.roll_out(work, HERE, steps=STEPS)
    with pytest.raises(RolloutRunning):
        deciding.expose(work, HERE, percent=3)
    deciding.stop(work, HERE)

    assert share() == 20.0
    with pytest.raises(NoRollout):
        deciding.stop(work, HERE)


def test_a_rollout_that_ended_is_not_stopped_again(work: Work, shop: str) -> None:
    started = deciding.roll_out(work, HERE, steps=steps_of("100"))

    assert not rollouts.stop(work, started, reason="late")


@pytest.mark.parametrize("text", ["", "x", "50,20", "20,20", "101", "0", "10@x", "10@1h,20@", "-5"])
def test_steps_must_be_readable_and_rise(text: str) -> None:
    with pytest.raises(StepsInvalid):
        steps_of(text)
