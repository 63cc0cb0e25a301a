"""Taking a deployment back, wherever it stopped: what served before serves alone again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steerway.delivery.deployments import actions
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Step
from steerway.delivery.deployments.workflows import traffic, undoing
from steerway.delivery.router import queries as router
from steerway.delivery.router.errors import RouterDown
from steerway.delivery.runtimes import queries as runtimes
from steerway.delivery.runtimes.errors import StillRunning
from steerway.platform.work import Work
from tests.delivery.deployments.pretended import Stand, stand

pytestmark = [pytest.mark.django_db]

UP_TO_VERIFY = ((Step.CONFIGURE, 0), (Step.START, 0), (Step.VERIFY, 0))


@pytest.fixture
def shop(tmp_path: Path, work: Work) -> Iterator[Stand]:
    """A shop that is declared."""
    for one in stand(tmp_path, work):
        one.declare()
        yield one


def programs_of(deployment: Deployment) -> set[str]:
    """The programs of a deployment's replicas that are not retired."""
    found = runtimes.of_deployment(deployment.id)
    return {replica.program for replica in found if replica.retired_at is None}


def test_a_deployment_that_moved_no_traffic_is_taken_back_while_the_router_is_away(
    shop: Stand,
) -> None:
    before = shop.serve("v1")
    new = shop.take(shop.begin("v2"), *UP_TO_VERIFY)
    shop.router.is_down = True

    undoing.undo(shop.ground, new)

    assert set(shop.programs.up) == programs_of(before)


def test_after_a_half_way_rolling_deployment_the_old_replicas_have_all_traffic_again(
    shop: Stand,
) -> None:
    shop.declare(strategy="rolling")
    before = shop.serve("v1")
    wave = [(step, 0) for step in (Step.START, Step.VERIFY, Step.SWITCH, Step.DRAIN)]
    new = shop.take(shop.begin("v2"), (Step.CONFIGURE, 0), *wave, (Step.START, 1))

    undoing.undo(shop.ground, new)

    assert set(shop.programs.up) == programs_of(before)
    assert shop.router.traffic() == {traffic.cluster(before): 100}


def test_a_first_deployment_that_is_taken_back_leaves_no_route(shop: Stand) -> None:
    new = shop.take(shop.begin("v1"), *UP_TO_VERIFY, (Step.SWITCH, 0))

    undoing.undo(shop.ground, new)

    assert router.route("shop", "production") is None
    assert shop.programs.up == {}


def test_replicas_that_could_not_be_ended_are_not_wanted_any_more(shop: Stand) -> None:
    new = shop.take(shop.begin("v1"), *UP_TO_VERIFY)
    shop.programs.undying = set(shop.programs.up)

    with pytest.raises(StillRunning):
        undoing.undo(shop.ground, new)

    assert not any(replica.wanted for replica in runtimes.of_deployment(new.id))


def test_a_deployment_ends_whatever_else_was_left_in_its_place(shop: Stand) -> None:
    left = shop.take(shop.begin("v1"), *UP_TO_VERIFY, (Step.SWITCH, 0))
    actions.fail(shop.work(), left, error="Its workflow ended.")

    new = shop.serve("v2")

    assert set(shop.programs.up) == programs_of(new)
    assert programs_of(left) == set()


def test_traffic_does_not_leave_a_version_before_the_router_says_so(shop: Stand) -> None:
    before = shop.serve("v1")
    new = shop.take(shop.begin("v2"), *UP_TO_VERIFY, (Step.SWITCH, 0))
    shop.router.is_down = True

    with pytest.raises(RouterDown):
        undoing.undo(shop.ground, new)

    assert set(shop.programs.up) == programs_of(new) | programs_of(before)
