"""Native histograms, gathered row by row: there are few, each worth hundreds of samples."""

from dataclasses import astuple, dataclass
from typing import Any, Final

import pyarrow as pa

from steerway.telemetry.ingest.rules.samples import STALE
from steerway.telemetry.ingest.rules.tables import SCHEMAS

# Source: Prometheus, Native Histograms specification: the schemas with exponential buckets.
SCHEMA_MIN, SCHEMA_MAX = -4, 8
BUCKETS_MAX: Final = 2000
INT32_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Native:
    """One native histogram at one moment; a bucket at index i ends at 2 ** (i * 2 ** -schema)."""

    ts_ms: int
    schema: int
    zero_threshold: float
    zero_count: float
    count: float
    sum: float
    positive_offset: int
    positive: list[float]
    negative_offset: int
    negative: list[float]


class Natives:
    """The native histograms of one request."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, int, Native]] = []

    def add(self, metric: str, id_: int, native: Native) -> str:
        """Take one; a reason when it cannot be kept."""
        if len(native.positive) + len(native.negative) > BUCKETS_MAX:
            return f"a histogram has more than {BUCKETS_MAX} buckets"
        if not SCHEMA_MIN <= native.schema <= SCHEMA_MAX:
            return f"a histogram has the schema {native.schema}, not {SCHEMA_MIN} to {SCHEMA_MAX}"
        self._rows.append((metric, id_, native))
        return ""

    def table(self) -> pa.Table:
        """Rows of `histograms`."""
        schema = SCHEMAS["histograms"]
        rows = [
            dict(zip(schema.names, (metric, id_, *astuple(native)), strict=True))
            for metric, id_, native in self._rows
        ]
        plain = pa.schema(
            [("metric", pa.string()), ("id", pa.uint64()), ("ts", pa.int64()), *list(schema)[3:]]
        )
        return pa.Table.from_pylist(rows, plain).cast(schema)


def of_exponential(point: Any) -> Native:
    """The exponential histogram of an OTLP data point.

    OTLP's bucket i begins where Prometheus' bucket i ends, so indexes move by one. A finer scale
    than Prometheus knows is made coarser by joining neighbours.
    """
    scale = point.scale
    up, positive = point.positive.offset, [float(n) for n in point.positive.bucket_counts]
    down, negative = point.negative.offset, [float(n) for n in point.negative.bucket_counts]
    if scale > SCHEMA_MAX and len(positive) + len(negative) <= BUCKETS_MAX:
        shift = min(scale - SCHEMA_MAX, 31)
        up, positive = _joined(up, positive, shift)
        down, negative = _joined(down, negative, shift)
        scale = SCHEMA_MAX
    return Native(
        point.time_unix_nano // 1_000_000,
        scale,
        point.zero_threshold,
        float(point.zero_count),
        float(point.count),
        STALE if point.flags & 1 else point.sum,
        min(up + 1, INT32_MAX),
        positive,
        min(down + 1, INT32_MAX),
        negative,
    )


def of_prometheus(histogram: Any) -> Native:
    """The native histogram of a remote write."""
    up, positive = _buckets(
        histogram.positive_spans, histogram.positive_deltas, histogram.positive_counts
    )
    down, negative = _buckets(
        histogram.negative_spans, histogram.negative_deltas, histogram.negative_counts
    )
    is_float = histogram.HasField("count_float")
    zero = histogram.zero_count_float if is_float else float(histogram.zero_count_int)
    return Native(
        histogram.timestamp,
        histogram.schema,
        histogram.zero_threshold,
        zero,
        histogram.count_float if is_float else float(histogram.count_int),
        histogram.sum,
        up,
        positive,
        down,
        negative,
    )


def _joined(offset: int, counts: list[float], shift: int) -> tuple[int, list[float]]:
    first = offset >> shift
    joined = [0.0] * (((offset + len(counts) - 1) >> shift) - first + 1 if counts else 0)
    for place, count in enumerate(counts):
        joined[((offset + place) >> shift) - first] += count
    return first, joined


def _buckets(spans: Any, deltas: Any, counts: Any) -> tuple[int, list[float]]:
    """Neighbouring buckets from spans of them: each span begins `offset` after the last one."""
    given = list(counts)
    running = 0
    for delta in deltas:
        running += delta
        given.append(float(running))
    first = spans[0].offset if spans else 0
    dense: list[float] = []
    at = 0
    for number, span in enumerate(spans):
        gap = span.offset if number else 0
        if gap < 0 or len(dense) + gap + span.length > BUCKETS_MAX:
            return first, [0.0] * (BUCKETS_MAX + 1)
        dense += [0.0] * gap + given[at : at + span.length]
        at += span.length
    return first, dense
