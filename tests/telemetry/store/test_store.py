"""What the store promises."""

from steerway.telemetry.store import Store
from tests.telemetry.seeding import at, seed, seed_samples


def test_what_is_inserted_is_found(store: Store) -> None:
    seed_samples(store, "up", {"service": "checkout"}, [(10, 1.0), (20, 0.0)])

    found = store.table(
        "SELECT ts, value FROM samples WHERE metric = {m:String} ORDER BY ts", {"m": "up"}
    )

    assert found.to_pydict() == {"ts": [at(10), at(20)], "value": [1.0, 0.0]}


def test_a_log_line_keeps_its_attributes(store: Store) -> None:
    seed(
        store,
        "logs",
        [{"ts": at(1), "service": "checkout", "body": "hi", "attributes": {"a": "b"}}],
    )

    found = store.table("SELECT service, body, attributes FROM logs")

    assert found.to_pylist() == [{"service": "checkout", "body": "hi", "attributes": [("a", "b")]}]
