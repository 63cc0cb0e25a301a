"""How the store is, in a word and in bytes."""

from datetime import UTC, datetime

from steerway.telemetry.store import Store, health
from tests.telemetry.seeding import seed

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def test_an_open_store_says_its_size_and_since_when_it_has_data(store: Store) -> None:
    seed(store, "logs", [{"ts": DAY, "body": "first"}])

    found = health.size()

    assert health.state() == "up"
    assert found is not None
    assert found.size_bytes > 0
    assert found.since == DAY
