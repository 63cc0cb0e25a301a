"""Spans are counted into metrics, each once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from steerway.telemetry.ingest.errors import NotStored
from steerway.telemetry.ingest.rules.limits import IngestLimits
from steerway.telemetry.ingest.rules.samples import Samples, SeriesSet
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.store import Store
from steerway.telemetry.traces.rules.meters import (
    BOUNDS,
    BUCKET,
    CALLS,
    Key,
    Meters,
    Tally,
    added,
)  # fmt: skip
from steerway.telemetry.traces.workflows import Meter
from tests.cast import NOON
from tests.telemetry.traces.walking import span, walked

SECOND = timedelta(seconds=1)
MS = timedelta(milliseconds=1)
DAY = timedelta(days=1)
KEY = Key("shop", "production", "v1", "work", "SPAN_KIND_SERVER", "STATUS_CODE_OK")
VALUES = """
SELECT labels['status_code'] AS code, labels['le'] AS le, ts, value FROM samples
INNER JOIN (SELECT id, any(labels) AS labels FROM series GROUP BY id) AS s USING (id)
WHERE metric = {metric:String} ORDER BY code, ts
"""


class Stage:
    """A meter, the clock it looks at, and an intake that may fail."""

    def __init__(self, store: Store, intake: Intake) -> None:
        self.store = store
        self.intake = intake
        self.now = NOON
        self.fails = ""
        self.starts_again()

    def starts_again(self) -> None:
        self.meter = Meter(self.take, store=lambda: self.store, now=lambda: self.now)

    def take(self, samples: Samples, series: SeriesSet) -> None:
        if self.fails == "before":
            raise NotStored(reason="away")
        self.intake.add_samples(samples, series, wait=True)
        if self.fails == "after":
            raise NotStored(reason="away")

    def looks(self, seconds: int) -> int:
        """A look so many seconds after noon."""
        self.now = NOON + seconds * SECOND
        return self.meter.look()

    def values(self, metric: str = CALLS, **labels: str) -> list[tuple[datetime, float]]:
        rows = self.store.table(VALUES, {"metric": metric}).to_pylist()
        return [(r["ts"], r["value"]) for r in rows if labels.items() <= r.items()]


@pytest.fixture
def stage(store: Store) -> Iterator[Stage]:
    intake = Intake(lambda: store, now=lambda: NOON, limits=IngestLimits(future=DAY))
    intake.start()
    yield Stage(store, intake)
    intake.stop()


def server(start: timedelta, **fields: Any) -> dict[str, Any]:
    return span("a", str(start // MS), start=start, kind="server", **fields)


def test_a_window_is_counted_once_its_spans_have_come(stage: Stage) -> None:
    stage.looks(15)
    walked(stage.store, server(2 * SECOND, duration=30 * MS), server(3 * SECOND))
    walked(stage.store, server(4 * SECOND, status="error"), span("a", "z", start=SECOND))
    assert stage.looks(29) == 0

    assert stage.looks(30) == 1

    ok = [(NOON, 0.0), (NOON + 15 * SECOND, 2.0)]
    assert stage.values(code="STATUS_CODE_UNSET") == ok
    assert stage.values(code="STATUS_CODE_ERROR")[-1][1] == 1.0
    assert stage.values(BUCKET, code="STATUS_CODE_UNSET", le="0.01")[-1][1] == 1.0
    assert stage.values(BUCKET, code="STATUS_CODE_UNSET", le="+Inf")[-1][1] == 2.0


def test_counters_grow_and_silence_is_written(stage: Stage) -> None:
    stage.looks(15)
    walked(stage.store, server(2 * SECOND), server(40 * SECOND))

    stage.looks(75)

    assert [value for _, value in stage.values()] == [0.0, 1.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_failure_or_a_kill_at_any_moment_counts_nothing_twice(stage: Stage, fails: str) -> None:
    stage.looks(15)
    walked(stage.store, server(2 * SECOND), server(3 * SECOND))
    stage.fails = fails
    with pytest.raises(NotStored):
        stage.looks(30)
    stage.fails = ""
    stage.starts_again()
    walked(stage.store, server(16 * SECOND))

    stage.looks(60)

    assert stage.values()[-1] == (NOON + 45 * SECOND, 3.0)


def test_what_ended_in_the_window_is_counted_whenever_it_began(stage: Stage) -> None:
    stage.looks(15)
    walked(stage.store, server(-60 * SECOND, duration=65 * SECOND))

    stage.looks(30)

    assert [value for _, value in stage.values()] == [0.0, 1.0]


def test_a_key_that_is_silent_for_an_hour_is_no_longer_written() -> None:
    meters = Meters({KEY: Tally(3.0, 1.0, active_at=NOON)})

    hour, _ = added(meters, [], (NOON, NOON + timedelta(hours=1)))
    later, _ = added(meters, [], (NOON, NOON + timedelta(hours=1, seconds=15)))

    assert len(hour) == 3 + len(BOUNDS) + 1
    assert len(later) == 0
