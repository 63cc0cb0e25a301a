"""Starting, steering and ending deployments: each effect once, each refusal in a sentence."""

from dataclasses import replace

import pytest

from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.errors import (
    Busy,
    Ended,
    NeverServed,
    NothingToRollBack,
    Paused,
    TooLate,
)
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Step
from steerway.planning.catalog import actions as catalog
from steerway.planning.catalog import queries as services
from steerway.planning.catalog.errors import EnvironmentUnknown, ServiceUnknown
from steerway.planning.changes import actions as changes
from steerway.planning.changes.errors import Held
from steerway.planning.changes.models import Change
from steerway.platform.errors import Forbidden
from steerway.platform.log.models import Event
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.cast import Started, actor
from tests.delivery.deployments.conftest import Counter

SHOP = Wish("shop", "production", "v1")


def types(subject: str) -> list[str]:
    """What the log says of something, in order."""
    return [event.type for event in Event.objects.filter(subject=subject).order_by("seq")]


def states(deployment: Deployment) -> dict[str, str]:
    """How far each step is."""
    return {step.name: step.state for step in deployment.steps.order_by("position")}


def test_a_deployment_starts_with_all_it_will_need(
    counter: Counter, started: Started, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator] # a fixture without types
        deployment = actions.start(counter.work, replace(SHOP, why="Faster search"))

    assert (deployment.ref, deployment.state, deployment.version) == ("DEP-1", "running", "v1")
    assert deployment.plan["run"]["environment"] == {"LOG_LEVEL": "info"}
    assert deployment.previous is None
    assert (deployment.change.ref, deployment.change.why) == ("CHG-1", "Faster search")
    assert deployment.change.summary == "Deploy v1 in production"
    assert list(states(deployment)) == [step.value for step in Step if step is not Step.JUDGE]
    assert set(states(deployment).values()) == {"waiting"}
    assert types("DEP-1") == ["deployment.requested"]
    assert started == [("deployment", deployment.id)]


def test_without_a_reference_the_descriptors_own_is_taken(counter: Counter) -> None:
    deployment = actions.start(counter.work, Wish("shop", "production"))

    assert deployment.ref_asked == deployment.plan["source"]["ref"] == "HEAD"


def test_a_plan_stays_as_it_was_when_it_was_asked_for(counter: Counter) -> None:
    before = counter.begin("v1")
    counter.declare(level="debug")

    assert queries.by_id(before.id).plan["run"]["environment"]["LOG_LEVEL"] == "info"


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (Wish("tea", "production"), ServiceUnknown),
        (Wish("shop", "moon"), EnvironmentUnknown),
    ],
)
def test_what_is_not_declared_cannot_be_deployed(
    counter: Counter, wish: Wish, error: type[Exception]
) -> None:
    with pytest.raises(error):
        actions.start(counter.work, wish)
    with pytest.raises(error):
        actions.rollback(counter.work, wish)


def test_one_deployment_at_a_time_in_a_place(counter: Counter) -> None:
    counter.begin("v1")

    with pytest.raises(Busy, match="DEP-1 is deploying shop to production now"):
        actions.start(counter.work, replace(SHOP, ref="v2"))

    assert Deployment.objects.count() == 1
    assert counter.begin("v2", "testing").state == "running"


def test_a_busy_place_cannot_be_rolled_back(counter: Counter) -> None:
    counter.serve("v1")
    counter.serve("v2")
    counter.begin("v3")

    with pytest.raises(Busy, match="`steerway cancel DEP-3`"):
        actions.rollback(counter.work, Wish("shop", "production"))


def test_a_paused_service_is_not_deployed_but_rolled_back(counter: Counter) -> None:
    counter.serve("v1")
    counter.serve("v2")
    catalog.pause(counter.work, services.get("shop"), reason="Looking by hand")

    with pytest.raises(Paused, match="shop is paused by alice: Looking by hand"):
        actions.start(counter.work, SHOP)

    assert counter.roll_back().version == "v1"


def test_a_hold_stops_deployments_but_neither_rollbacks_nor_emergencies(counter: Counter) -> None:
    counter.serve("v1")
    counter.serve("v2")
    changes.hold(counter.work, service="shop", reason="Stock-taking")

    with pytest.raises(Held):
        actions.start(counter.work, SHOP)

    assert counter.roll_back().version == "v1"
    assert counter.begin("v3", emergency=True, why="The shop is down").change.emergency


def test_a_refused_deployment_leaves_no_record(counter: Counter) -> None:
    changes.freeze(counter.work, reason="Audit")
    before = (Event.objects.count(), Change.objects.count())

    with pytest.raises(Held):
        actions.start(counter.work, SHOP)

    assert (Event.objects.count(), Change.objects.count()) == before
    assert Deployment.objects.count() == 0


@pytest.mark.parametrize("act", [actions.start, actions.rollback])
def test_a_viewer_moves_nothing(counter: Counter, guest: Work, act: object) -> None:
    with pytest.raises(Forbidden, match="on shop/production"):
        act(guest, SHOP)  # type: ignore[operator] # one of two actions


def test_a_viewer_cancels_nothing(counter: Counter, guest: Work) -> None:
    with pytest.raises(Forbidden, match="on DEP-1"):
        actions.cancel(guest, counter.begin("v1"))


def test_a_developer_deploys(counter: Counter) -> None:
    dave = replace(counter.work, actor=actor("dave", Role.DEVELOPER))

    assert actions.start(dave, SHOP).requested_by == "dave"


def test_a_rollback_takes_the_release_and_the_configuration_of_then(counter: Counter) -> None:
    first = counter.serve("v1")
    counter.declare(level="debug", strategy="rolling")
    second = counter.serve("v2")

    back = actions.rollback(counter.work, Wish("shop", "production", why="Errors"))

    assert (back.kind, back.release_id, back.config_digest, back.plan) == (
        "rollback",
        first.release_id,
        first.config_digest,
        first.plan,
    )
    assert back.previous_id == second.id
    assert back.strategy == "blue-green"
    assert (back.change.kind, back.change.why) == ("rollback", "Errors")
    assert back.change.summary == "Roll back to v1 in production"


def test_a_rollback_to_a_version_that_is_named(counter: Counter) -> None:
    for version in ("v1", "v2", "v3"):
        counter.serve(version)

    assert counter.roll_back("v1").version == "v1"
    with pytest.raises(NeverServed, match="v9 has not served shop in production well"):
        actions.rollback(counter.work, Wish("shop", "production", "v9"))


def test_without_an_earlier_version_there_is_no_rollback(counter: Counter) -> None:
    counter.serve("v1")

    with pytest.raises(NothingToRollBack, match="Deploy a version that works"):
        actions.rollback(counter.work, Wish("shop", "production"))

    assert Change.objects.filter(kind="rollback").count() == 0


def test_a_rollback_condemns_what_it_left_once_it_has_ended_well(counter: Counter) -> None:
    counter.serve("v1")
    left = counter.serve("v2")
    back = actions.rollback(counter.work, Wish("shop", "production"))
    assert queries.by_id(left.id).bad_at is None

    counter.end(back)

    assert queries.by_id(left.id).bad_at is not None
    assert queries.by_id(back.id).bad_at is None


def test_a_rollback_that_fails_condemns_nothing(counter: Counter) -> None:
    counter.serve("v1")
    left = counter.serve("v2")
    back = actions.rollback(counter.work, Wish("shop", "production"))

    actions.fail(counter.work, back, error="It does not come up.")

    assert queries.by_id(left.id).bad_at is None
    assert queries.serving("shop", "production") == left


def test_a_step_begins_and_ends_once_however_often_it_is_taken(counter: Counter) -> None:
    deployment = counter.begin("v1")
    first = counter.work
    actions.enter(first, deployment, Step.BUILD)
    actions.enter(counter.work, deployment, Step.BUILD)
    step = deployment.steps.get(name="build")
    assert (step.state, step.started_at) == ("running", first.now)

    actions.leave(counter.work, deployment, Step.BUILD, note="v1 · 1a2b3c")
    actions.leave(counter.work, deployment, Step.BUILD, note="again")

    step.refresh_from_db()
    assert (step.state, step.note) == ("done", "v1 · 1a2b3c")
    assert types("DEP-1") == ["deployment.requested", "deployment.build-done"]


def test_a_step_that_is_come_back_to_keeps_its_first_moment(counter: Counter) -> None:
    deployment = counter.begin("v1")
    first = counter.work
    actions.enter(first, deployment, Step.START)
    actions.leave(counter.work, deployment, Step.START, note="1 of 2 started")

    actions.enter(counter.work, deployment, Step.START)

    step = deployment.steps.get(name="start")
    assert (step.state, step.started_at, step.ended_at) == ("running", first.now, None)
    actions.leave(counter.work, deployment, Step.START, note="2 of 2 started")
    assert types("DEP-1").count("deployment.start-done") == 2


def test_a_long_note_is_cut(counter: Counter) -> None:
    deployment = counter.begin("v1")
    actions.enter(counter.work, deployment, Step.BUILD)

    actions.leave(counter.work, deployment, Step.BUILD, note="x" * 1000)

    assert len(deployment.steps.get(name="build").note) == 300


def test_it_ends_well_once_with_one_event_and_one_outcome(counter: Counter) -> None:
    deployment = counter.begin("v1")
    actions.switched(counter.work, deployment)

    assert actions.finish(counter.work, deployment)
    assert not actions.finish(counter.work, deployment)
    assert not actions.fail(counter.work, deployment, error="too late")

    now = queries.by_id(deployment.id)
    assert (now.state, now.serves, now.error) == ("succeeded", True, "")
    assert types("DEP-1") == ["deployment.requested", "deployment.succeeded"]
    assert types("CHG-1") == ["change.opened", "change.implemented"]
    assert now.change.outcome == "v1 serves."


def test_it_fails_once_and_says_why(counter: Counter) -> None:
    deployment = counter.begin("v1")
    actions.enter(counter.work, deployment, Step.PREFLIGHT)
    actions.leave(counter.work, deployment, Step.PREFLIGHT)
    actions.enter(counter.work, deployment, Step.BUILD)

    assert actions.fail(counter.work, deployment, error="no beans", log_tail="Traceback")
    assert not actions.fail(counter.work, deployment, error="again")
    assert not actions.finish(counter.work, deployment)

    now = queries.by_id(deployment.id)
    assert (now.state, now.error, now.log_tail, now.serves) == (
        "failed",
        "no beans",
        "Traceback",
        False,
    )
    assert list(states(now).values())[:3] == ["done", "failed", "skipped"]
    assert types("CHG-1") == ["change.opened", "change.failed"]
    assert (now.change.state, now.change.outcome) == ("failed", "no beans")


def test_what_served_before_serves_on_when_the_next_fails(counter: Counter) -> None:
    first = counter.serve("v1")
    counter.fail("v2")

    assert queries.serving("shop", "production") == first


def test_the_next_takes_the_place_of_what_served(counter: Counter) -> None:
    first = counter.serve("v1")
    second = counter.serve("v2")

    assert not queries.by_id(first.id).serves
    assert (second.serves, second.previous_id) == (True, first.id)
    assert Deployment.objects.filter(serves=True).count() == 1


def test_what_serves_already_ends_unchanged_and_changes_nothing(counter: Counter) -> None:
    first = counter.serve("v1")
    again = counter.begin("v1")
    actions.enter(counter.work, again, Step.PREFLIGHT)

    actions.finish(counter.work, again, unchanged=True)

    now = queries.by_id(again.id)
    assert (now.state, now.serves) == ("unchanged", False)
    assert queries.serving("shop", "production") == first
    assert list(states(now).values())[:2] == ["done", "skipped"]
    assert now.change.outcome == "v1 was serving already with the same configuration."
    assert types(now.ref)[-1] == "deployment.unchanged"


def test_it_is_cancelled_before_its_switch(counter: Counter) -> None:
    deployment = counter.begin("v1")

    actions.cancel(counter.work, deployment)
    actions.cancel(counter.work, deployment)

    assert not actions.switched(counter.work, deployment)
    actions.fail(counter.work, deployment, error="Cancelled by alice.")
    now = queries.by_id(deployment.id)
    assert (now.state, now.cancelled_by, now.switched_at) == ("cancelled", "alice", None)
    assert types("DEP-1") == [
        "deployment.requested",
        "deployment.cancel-requested",
        "deployment.cancelled",
    ]
    assert types("CHG-1") == ["change.opened", "change.cancelled"]


def test_after_its_switch_it_is_too_late(counter: Counter) -> None:
    deployment = counter.begin("v1")
    assert actions.switched(counter.work, deployment)

    with pytest.raises(TooLate, match="`steerway rollback shop` takes it back"):
        actions.cancel(counter.work, deployment)

    assert queries.by_id(deployment.id).cancelled_by == ""


def test_what_has_ended_cannot_be_cancelled(counter: Counter) -> None:
    with pytest.raises(Ended, match="DEP-1 has ended: failed"):
        actions.cancel(counter.work, counter.fail("v1"))


def test_users_are_moved_at_one_moment_however_often_it_is_said(counter: Counter) -> None:
    deployment = counter.begin("v1")
    first = counter.work
    assert actions.switched(first, deployment)

    assert actions.switched(counter.work, deployment)

    assert queries.by_id(deployment.id).switched_at == first.now


def test_the_place_is_free_once_it_has_ended(counter: Counter) -> None:
    counter.fail("v1")

    assert counter.serve("v2").ref == "DEP-2"
