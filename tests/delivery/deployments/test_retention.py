"""Which releases stay on disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.platform.work import Work
from tests.delivery.deployments.pretended import Stand, stand

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def shop(tmp_path: Path, work: Work) -> Iterator[Stand]:
    """A shop that has served v1, v2 and v3."""
    for one in stand(tmp_path, work):
        one.declare()
        for version in ("v1", "v2", "v3"):
            one.serve(version)
        yield one


def test_what_serves_and_what_one_may_return_to_stay(shop: Stand) -> None:
    kept = queries.protected_releases("shop")

    assert kept == {shop.release("shop", version).id for version in ("v2", "v3")}


def test_nothing_goes_while_a_deployment_has_not_taken_what_was_built_for_it(shop: Stand) -> None:
    actions.start(shop.work(), Wish("shop", "production", "v4"))
    built = shop.release("shop", "v4")

    kept = queries.protected_releases("shop")

    assert {built.id, shop.release("shop", "v1").id} <= kept


def test_what_a_rollback_returns_to_stays_however_old_it_is(shop: Stand) -> None:
    actions.rollback(shop.work(), Wish("shop", "production", "v1"))

    assert shop.release("shop", "v1").id in queries.protected_releases("shop")
