"""Numbers made of spans: how many calls, how many failed, how long they took. Pure.

Named as the span metrics of Tempo and of the OpenTelemetry collector. Counters only grow: the
sum of a window is added to what the last sample said, so a window counts once however often it
is tried.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from steerway.telemetry.ingest.rules.samples import Samples, Series, SeriesSet
from steerway.telemetry.store.identity import series_id

WINDOW: Final = timedelta(seconds=15)
# Senders hand over spans some seconds after their end; what comes later is not counted.
GRACE: Final = timedelta(seconds=15)
BEHIND_MAX: Final = timedelta(hours=1)  # made up for after the server was away
FIRST: Final = timedelta(minutes=1)  # counted when nothing was counted before
KEYS_MAX: Final = 2000  # combinations in one window, the busiest first
SILENT_MAX: Final = timedelta(hours=1)  # a key without calls is no longer written
CALLS: Final = "traces_spanmetrics_calls_total"
DURATION: Final = "traces_spanmetrics_duration_seconds"
BUCKET, SUM, COUNT = f"{DURATION}_bucket", f"{DURATION}_sum", f"{DURATION}_count"
METRICS: Final = (CALLS, BUCKET, SUM, COUNT)
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LABELS: Final = ("service", "environment", "version", "span_name", "span_kind", "status_code")
_KINDS: Final = "SPAN_KIND_"
_CODES: Final = "STATUS_CODE_"


class Key(NamedTuple):
    """What calls are counted by."""

    service: str
    environment: str
    version: str
    span_name: str
    span_kind: str
    status_code: str

    def labels(self) -> dict[str, str]:
        """As labels of a series."""
        return {"job": self.service, **self._asdict()}


@dataclass(slots=True)
class Tally:
    """All calls so far. `buckets` counts those that took at most each of BOUNDS."""

    calls: float = 0.0
    seconds: float = 0.0
    buckets: list[float] = field(default_factory=lambda: [0.0] * len(BOUNDS))
    active_at: datetime | None = None


@dataclass(slots=True)
class Meters:
    """The counters as the store has them, at the end of the last window. None: no window yet."""

    tallies: dict[Key, Tally] = field(default_factory=dict)
    until: datetime | None = None


def key_of(row: Mapping[str, Any]) -> Key:
    """The key of a row of spans."""
    kind, status = row["kind"].upper(), row["status"].upper()
    place = row["service"], row["environment"], row["version"]
    return Key(*place, row["name"], f"{_KINDS}{kind}", f"{_CODES}{status}")


def restored(rows: Iterable[Mapping[str, Any]]) -> Meters:
    """The counters from the last samples of each series: `metric`, `labels`, `value`, `at`."""
    meters = Meters()
    for row in rows:
        labels = dict(row["labels"])
        tally = meters.tallies.setdefault(Key(*(labels.get(n, "") for n in LABELS)), Tally())
        tally.active_at = row["at"]
        meters.until = max(meters.until or row["at"], row["at"])
        if row["metric"] == CALLS:
            tally.calls = row["value"]
        elif row["metric"] == SUM:
            tally.seconds = row["value"]
        elif (place := _PLACES.get(labels.get("le", ""), len(BOUNDS))) < len(BOUNDS):
            tally.buckets[place] = row["value"]
    return meters


def due(meters: Meters, now: datetime) -> tuple[datetime, datetime] | None:
    """The window to count next; None while spans of it may still come."""
    last = _floor(now - GRACE)
    since = max(meters.until or last - FIRST, last - BEHIND_MAX)
    return (since, since + WINDOW) if since + WINDOW <= last else None


def added(
    meters: Meters, rows: Iterable[Mapping[str, Any]], window: tuple[datetime, datetime]
) -> tuple[Samples, SeriesSet]:
    """The samples at the end of a window, once its rows are added to `meters`.

    Keys that are silent are written too, so that a rate knows a zero from a gap. A new key begins
    with a zero at the start of the window, so that its first calls count.
    """
    since, until = window
    points: list[tuple[str, dict[str, str], datetime, float]] = []
    for row in rows:
        key = key_of(row)
        if key not in meters.tallies:
            meters.tallies[key] = Tally()
            points += _points(key, meters.tallies[key], since)
        _add(meters.tallies[key], row, until)
    for key, tally in list(meters.tallies.items()):
        if tally.active_at is None or until - tally.active_at > SILENT_MAX:
            del meters.tallies[key]
        else:
            points += _points(key, tally, until)
    meters.until = until
    return _samples(points)


def _add(tally: Tally, row: Mapping[str, Any], until: datetime) -> None:
    tally.calls += row["calls"]
    tally.seconds += row["seconds"]
    tally.buckets = [a + b for a, b in zip(tally.buckets, row["buckets"], strict=True)]
    tally.active_at = until


def _points(
    key: Key, tally: Tally, at: datetime
) -> Iterable[tuple[str, dict[str, str], datetime, float]]:
    labels = key.labels()
    yield CALLS, labels, at, tally.calls
    yield SUM, labels, at, tally.seconds
    yield COUNT, labels, at, tally.calls
    for le, value in zip(_PLACES, (*tally.buckets, tally.calls), strict=True):
        yield BUCKET, {**labels, "le": le}, at, value


def _samples(
    points: list[tuple[str, dict[str, str], datetime, float]],
) -> tuple[Samples, SeriesSet]:
    ids = [series_id(metric, labels) for metric, labels, _, _ in points]
    series: SeriesSet = {
        id_: Series(metric, labels) for id_, (metric, labels, _, _) in zip(ids, points, strict=True)
    }
    samples = Samples(
        [metric for metric, _, _, _ in points],
        np.array(ids, np.uint64),
        np.array([round(at.timestamp() * 1000) for _, _, at, _ in points], np.int64),
        np.array([value for _, _, _, value in points], np.float64),
    )
    return samples, series


def _floor(at: datetime) -> datetime:
    seconds = int(WINDOW.total_seconds())
    return at.replace(second=at.second // seconds * seconds, microsecond=0)


_PLACES: Final = {f"{bound:g}": n for n, bound in enumerate(BOUNDS)} | {"+Inf": len(BOUNDS)}
