"""People hold, approve, promote and release what is judged."""

import json

import pytest

from steerway.delivery.analyses import actions, queries
from steerway.delivery.analyses.errors import Decided, NotJudged, Worse
from steerway.delivery.analyses.workflows import conduct
from steerway.platform.errors import Forbidden
from steerway.platform.log.models import Event
from steerway.platform.work import Work
from tests.delivery.analyses.simulated import Traffic, begun, found, types

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_a_pause_keeps_the_share_and_not_the_brake_on_harm(work: Work) -> None:
    one, traffic = begun(work), Traffic(work)
    actions.pause(work, found(one))
    traffic.events[20] = lambda: setattr(traffic, "bad_every", 2)

    with pytest.raises(Worse):
        conduct(traffic.scene(), one)

    assert traffic.shares == [20]
    assert 20 < traffic.time < 30
    held = Event.objects.filter(type="analysis.held").first()
    assert held
    assert "alice has paused it" in json.loads(held.data)["reason"]


def test_after_a_pause_it_goes_on(work: Work) -> None:
    one, traffic = begun(work), Traffic(work)
    actions.pause(work, found(one))
    traffic.events[15] = lambda: actions.resume(work, found(one))

    conduct(traffic.scene(), one)

    assert traffic.shares == [20, 50, 100]
    assert traffic.time > 15


def test_a_step_that_must_be_approved_waits_for_a_person(work: Work) -> None:
    one, traffic = begun(work, approve=[50]), Traffic(work)
    waited: list[float | None] = []

    def approve() -> None:
        waited.append(found(one).waits_for)
        actions.approve(work, found(one), percent=50)

    traffic.events[30] = approve
    conduct(traffic.scene(), one)

    assert waited == [50]
    assert traffic.shares == [20, 50, 100]
    assert traffic.time > 30


def test_what_is_dark_has_no_user_until_somebody_releases_it(work: Work) -> None:
    one, traffic = begun(work, percent=0.0, is_dark=True), Traffic(work)
    traffic.events[7] = lambda: actions.approve(work, found(one), percent=20)

    conduct(traffic.scene(), one)

    assert traffic.shares == [20, 50, 100]
    assert traffic.time > 7
    assert types()[:3] == ["analysis.begun", "analysis.approved", "release.exposed"]


def test_somebody_can_give_it_everything_at_once(work: Work) -> None:
    one, traffic = begun(work, rate=0), Traffic(work, rate=0)
    traffic.events[2] = lambda: actions.promote(work, found(one))

    assert conduct(traffic.scene(), one) == "alice promoted it"
    assert traffic.shares == [20, 100]
    assert found(one).state == "promoted"


def test_only_some_may_steer(work: Work, guest: Work) -> None:
    one = found(begun(work))

    for act in (actions.pause, actions.resume, actions.promote):
        with pytest.raises(Forbidden):
            act(guest, one)
    with pytest.raises(Forbidden):
        actions.approve(guest, one, percent=50)


def test_what_has_ended_is_not_steered(work: Work) -> None:
    one = begun(work)
    conduct(Traffic(work).scene(), one)

    with pytest.raises(Decided, match="The analysis of DEP-7 has ended: promoted"):
        actions.pause(work, found(one))


def test_what_is_not_judged_has_no_analysis(work: Work) -> None:
    with pytest.raises(NotJudged):
        queries.get("DEP-9")
