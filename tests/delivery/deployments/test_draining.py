"""Old replicas leave the traffic: their requests end first, and no other service waits for them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from steerway.delivery.deployments.rules import Step
from steerway.delivery.deployments.workflows import traffic
from steerway.delivery.runtimes import queries as runtimes
from steerway.platform.work import Work
from tests.delivery.deployments.pretended import Stand, stand

pytestmark = [pytest.mark.django_db]

UP_TO_SWITCH = ((Step.CONFIGURE, 0), (Step.START, 0), (Step.VERIFY, 0), (Step.SWITCH, 0))


@pytest.fixture
def shop(tmp_path: Path, work: Work) -> Iterator[Stand]:
    """A shop that is declared."""
    for one in stand(tmp_path, work):
        one.declare()
        yield one


def test_a_version_stays_in_the_router_until_it_has_answered(shop: Stand) -> None:
    old = shop.serve("v1")
    shop.take(shop.begin("v2"), *UP_TO_SWITCH)
    ground, cluster = shop.ground, traffic.cluster(old)
    looks: list[tuple[bool, bool]] = []

    def answering(*clusters: str) -> int:
        traffic.apply(ground)  # another service's turn comes meanwhile
        looks.append((clusters == (cluster,), shop.router.table.version(cluster) is not None))
        return len(looks) < 3

    shop.router.active = answering
    going = runtimes.of_deployment(old.id)

    traffic.withdraw(ground, going, limit=timedelta(seconds=10))

    assert looks == [(True, True)] * 3
    assert shop.router.table.version(cluster) is None


def test_a_version_that_still_gets_requests_is_not_waited_for(shop: Stand) -> None:
    shop.declare(strategy="rolling")
    old = shop.serve("v1")
    shop.take(shop.begin("v2"), *UP_TO_SWITCH)
    shop.router.active = pytest.fail
    going = runtimes.of_deployment(old.id)[:1]

    traffic.withdraw(shop.ground, going, limit=timedelta(seconds=10))

    assert [r.routed for r in runtimes.of_deployment(old.id)] == [False, True]


def test_requests_that_never_end_are_waited_for_as_long_as_the_descriptor_says(
    shop: Stand,
) -> None:
    old = shop.serve("v1")
    shop.take(shop.begin("v2"), *UP_TO_SWITCH)
    shop.router.active = lambda *_clusters: 1

    traffic.withdraw(shop.ground, runtimes.of_deployment(old.id), limit=timedelta(milliseconds=50))

    assert shop.router.table.version(traffic.cluster(old)) is None
