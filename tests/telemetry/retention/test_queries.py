"""How much there is, and since when."""

from datetime import UTC, datetime

from steerway.telemetry import store as stores
from steerway.telemetry.retention import queries
from steerway.telemetry.store import Store
from tests.telemetry.seeding import seed

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_store_says_its_size_and_since_when_it_has_data(either: Store) -> None:
    seed(either, "logs", [{"ts": DAY, "body": "first"}])

    found = queries.size(either)

    assert found.size_bytes > 0
    assert found.since == DAY


def test_an_open_store_is_up(store: Store) -> None:
    assert stores.state() == "up"
