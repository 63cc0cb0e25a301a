"""Rollups, retention and the limit of size, on the engine, with time as an argument."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from steerway.telemetry.retention import queries
from steerway.telemetry.retention.queries import parts, size
from steerway.telemetry.retention.rules import Keep, Room
from steerway.telemetry.retention.workflows.tending import Tending
from steerway.telemetry.store import Store
from tests.telemetry.seeding import seed, seed_samples

KEEP = Keep(metrics=15, rollups=400, logs=10, traces=7, requests=15)
DAY = datetime(2026, 3, 2, tzinfo=UTC)
START = DAY.timestamp()
ROLLED = """
SELECT ts, first, last, min, max, sum, count, increase FROM samples_5m FINAL ORDER BY ts
"""


def tending(store: Store) -> Tending:
    return Tending(store, KEEP)


def count(store: Store, table: str) -> int:
    number: int = store.table(f"SELECT count() AS n FROM {table}")["n"][0].as_py()
    return number


def test_a_window_is_rolled_up_once_it_is_closed(either: Store) -> None:
    seed_samples(either, "m", {}, [(START + 15 * n, float(n)) for n in range(25)])

    tending(either).round(DAY + timedelta(minutes=6, seconds=59), None)
    assert count(either, "samples_5m") == 0

    tending(either).round(DAY + timedelta(minutes=7), None)
    assert either.table(ROLLED).to_pylist() == [
        {
            "ts": DAY, "first": 0.0, "last": 19.0, "min": 0.0, "max": 19.0, "sum": 190.0,
            "count": 20, "increase": 19.0,
        }
    ]  # fmt: skip


def test_a_round_again_changes_nothing(either: Store) -> None:
    seed_samples(either, "m", {}, [(START + 15 * n, float(n)) for n in range(100)])
    now = DAY + timedelta(hours=1)
    tending(either).round(now, None)
    before = either.table(ROLLED)

    either.execute("TRUNCATE TABLE progress")  # as if it was killed before the note
    tending(either).round(now + timedelta(minutes=1), None)

    assert before.num_rows == 5
    assert either.table(ROLLED).equals(before)


@pytest.mark.parametrize(
    ("values", "rise"),
    [
        ([0, 10, 20, 30, 40, 50], 50),
        ([100, 100, 100, 100, 100, 100], 0),
        ([0, 10, 3, 5, 1, 2], 10 + 3 + 2 + 1 + 1),  # resets within windows
        ([0, 50, 100, 7, 8, 9], 100 + 7 + 2),  # between windows
        ([5, 6, 1, 10, 0, 0], 1 + 1 + 9),
    ],
)
def test_what_a_counter_rose_by_survives_its_samples(
    either: Store, values: list[float], rise: float
) -> None:
    """Two samples a window, then none for an hour, then one more window."""
    offsets = [0, 120, 300, 420, 4200, 4320]
    points = [(START + offset, float(v)) for offset, v in zip(offsets, values, strict=True)]
    number = seed_samples(either, "requests_total", {"service": "shop"}, points)

    tending(either).round(DAY + timedelta(hours=2), None)
    either.execute("TRUNCATE TABLE samples")

    until = DAY + timedelta(hours=2)
    given = {"metric": "requests_total", "ids": [number, 7], "since": DAY, "until": until}
    assert queries.increase(either, **given) == {number: rise}  # type: ignore[arg-type]


def test_stale_markers_are_no_values(store: Store) -> None:
    stale = pa.array([0x7FF0000000000002], pa.uint64()).view(pa.float64())[0].as_py()
    seed_samples(store, "m", {}, [(START, 1.0), (START + 15, 2.0), (START + 30, stale)])

    tending(store).round(DAY + timedelta(hours=1), None)

    found = store.table(ROLLED).to_pylist()
    assert [(row["last"], row["count"], row["max"]) for row in found] == [(2.0, 2, 2.0)]


def test_samples_that_come_late_are_rolled_up_within_the_hour(store: Store) -> None:
    keeper = tending(store)
    seed_samples(store, "m", {}, [(START, 1.0), (START + 3600, 1.0)])
    keeper.round(DAY + timedelta(hours=2), None)
    seed_samples(store, "late", {}, [(START + 30, 5.0), (START + 60, 6.0)])

    keeper.round(DAY + timedelta(hours=3, minutes=1), None)

    found = store.table("SELECT sum(increase) AS s FROM samples_5m FINAL WHERE metric = 'late'")
    assert found["s"].to_pylist() == [1.0]


def test_what_was_trimmed_does_not_make_rollups_smaller(store: Store) -> None:
    keeper = tending(store)
    seed_samples(store, "m", {}, [(START + 15 * n, float(n)) for n in range(20)])
    keeper.round(DAY + timedelta(hours=1), None)
    store.execute("TRUNCATE TABLE samples")
    seed_samples(store, "m", {}, [(START, 0.0)])

    keeper.round(DAY + timedelta(hours=3), None)

    assert store.table(ROLLED)["count"].to_pylist() == [20]


def test_days_past_their_time_are_dropped_but_never_before_they_are_rolled_up(
    store: Store,
) -> None:
    old = DAY - timedelta(days=20)
    seed_samples(store, "m", {}, [(old.timestamp(), 1.0), (START, 2.0)])
    seed(store, "logs", [{"ts": old, "body": "old"}, {"ts": DAY, "body": "new"}])
    seed(store, "spans", [{"ts": DAY - timedelta(days=8, hours=1), "trace_id": "a"}])

    tending(store).round(DAY + timedelta(hours=1), None)

    assert store.table("SELECT value FROM samples")["value"].to_pylist() == [2.0]
    assert store.table("SELECT body FROM logs")["body"].to_pylist() == ["new"]
    assert count(store, "spans") == 0
    assert store.table(ROLLED)["last"].to_pylist() == [1.0, 2.0]


def test_a_day_after_which_nothing_came_is_dropped_as_well(store: Store) -> None:
    seed_samples(store, "m", {}, [(START + 3600, 1.0)])

    tending(store).round(DAY + timedelta(days=17), None)

    assert count(store, "samples") == 0
    assert store.table(ROLLED)["last"].to_pylist() == [1.0]


def test_series_are_forgotten_after_their_rollups(store: Store) -> None:
    gone = DAY - timedelta(days=440)
    seed_samples(store, "gone", {}, [(gone.timestamp(), 1.0)])
    seed_samples(store, "here", {}, [(START, 1.0)])

    tending(store).round(DAY + timedelta(hours=1), None)

    assert store.table("SELECT metric FROM series")["metric"].to_pylist() == ["here"]
    assert store.table("SELECT metric FROM samples_5m")["metric"].to_pylist() == ["here"]


def test_the_limit_of_size_is_kept_and_said(store: Store) -> None:
    for day in range(3):
        lines = [
            {
                "ts": DAY + timedelta(days=day, seconds=n),
                "body": f"line {n * 7919 % 104729} of {day}",
            }
            for n in range(2000)
        ]
        seed(store, "logs", lines)
    whole = sum(part.size_bytes for part in parts(store))

    trimmed = tending(store).round(DAY + timedelta(days=4), Room(whole - 1, 2**40))

    assert [(one.table, one.until, one.reason) for one in trimmed] == [
        ("logs", DAY + timedelta(days=1), f"the limit of {(whole - 1) / 1024**3:g} GB")
    ]
    assert trimmed[0].size_bytes > 0
    assert count(store, "logs") == 4000
    assert size(store).since == DAY + timedelta(days=1)
