"""Samples of one look, as columns."""

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from steerway.telemetry.ingest.rules.samples import STALE, Ids, Series, Times, Values

Identify = Callable[[str, Mapping[str, str]], int]


class Meaning(NamedTuple):
    """What a page says about a metric."""

    metric: str
    type: str = ""
    unit: str = ""
    help: str = ""


class Exemplar(NamedTuple):
    """One observation behind a sample, mostly with the trace it was made in."""

    metric: str
    id: int
    ts_ms: int
    value: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples, and what their series are called.

    Units: `ts_ms` in milliseconds since 1970.
    Shape: `metrics`, `ids`, `ts_ms` and `values` go together; `series` may hold more.
    """

    metrics: pa.Array
    ids: Ids
    ts_ms: Times
    values: Values
    series: Mapping[int, Series] = field(default_factory=dict)
    meanings: tuple[Meaning, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


class Point(NamedTuple):
    """One value of one series."""

    metric: str
    labels: Mapping[str, str]
    value: float


NOTHING: Final = Batch(
    pa.array([], pa.string()),
    np.empty(0, np.uint64),
    np.empty(0, np.int64),
    np.empty(0, np.float64),
)


@dataclass(slots=True)
class Track:
    """The series of one source that looks again and again: which they are, which have ended."""

    identify: Identify
    own: Mapping[str, str] = field(default_factory=dict)
    known: dict[tuple[str, tuple[tuple[str, str], ...]], int] = field(default_factory=dict)
    series: dict[int, Series] = field(default_factory=dict)

    def batch(self, points: Iterable[Point], ts_ms: int) -> Batch:
        """These points, and stale markers for what was there the last time and is not now."""
        now, called, rows = {}, {}, []
        for point in points:
            key = (point.metric, tuple(point.labels.items()))
            id_, series = self._series(key, point)
            now[key], called[id_] = id_, series
            rows.append((series.metric, id_, point.value))
        gone = self.series.keys() - called.keys()
        rows += [(self.series[id_].metric, id_, STALE) for id_ in gone]
        ended = {id_: self.series[id_] for id_ in gone}
        self.known, self.series = now, called
        return batch(rows, ts_ms, called | ended)

    def end(self, ts_ms: int) -> Batch:
        """Stale markers for all."""
        return self.batch((), ts_ms)

    def _series(
        self, key: tuple[str, tuple[tuple[str, str], ...]], point: Point
    ) -> tuple[int, Series]:
        id_ = self.known.get(key)
        if id_ is not None:
            return id_, self.series[id_]
        labels = {n: v for n, v in {**point.labels, **self.own}.items() if v}
        return self.identify(point.metric, labels), Series(point.metric, labels)


def batch(rows: list[tuple[str, int, float]], ts_ms: int, series: Mapping[int, Series]) -> Batch:
    """Rows of metric, id and value as columns, all of one moment."""
    return Batch(
        pa.array([metric for metric, _, _ in rows], pa.string()),
        np.fromiter((id_ for _, id_, _ in rows), np.uint64, len(rows)),
        np.full(len(rows), ts_ms, np.int64),
        np.fromiter((value for _, _, value in rows), np.float64, len(rows)),
        series,
    )


def joined(batches: Iterable[Batch]) -> Batch:
    """Several batches as one."""
    found = [one for one in batches if len(one) or one.meanings]
    if len(found) == 1:
        return found[0]
    if not found:
        return NOTHING
    return Batch(
        pa.concat_arrays([_plain(one.metrics) for one in found]),
        np.concatenate([one.ids for one in found]),
        np.concatenate([one.ts_ms for one in found]),
        np.concatenate([one.values for one in found]),
        ChainMap(*(dict(one.series) for one in found)),
        tuple(meaning for one in found for meaning in one.meanings),
        tuple(exemplar for one in found for exemplar in one.exemplars),
    )


def _plain(metrics: pa.Array) -> pa.Array:
    return metrics.cast(pa.string()) if pa.types.is_dictionary(metrics.type) else metrics
