"""Histograms of OTLP as the `_bucket`, `_sum` and `_count` of Prometheus, many points at once."""

from typing import Any, Final

import numpy as np

from steerway.telemetry.decoding.otlp_found import NO_VALUE, Context, Metrics
from steerway.telemetry.ingest.rules.limits import Refusals
from steerway.telemetry.ingest.rules.samples import STALE

COUNT_BYTES: Final = 8
# A point, the ids of its series (or the series, of deltas), and how many buckets it has.
Row = tuple[Any, Any, int]


def gather_histograms(context: Context, rows: list[Row], found: Metrics) -> None:
    """The samples of many points at once: running sums of buckets, the sum and the count."""
    rows = [row for row in rows if _is_whole(row[0], row[2], found.refusals)]
    if not rows:
        return
    sizes = np.array([size for *_, size in rows])
    counts = [p.bucket_counts or np.uint64(p.count).tobytes() for p, *_ in rows]
    running = np.cumsum(np.frombuffer(b"".join(counts), "<u8").astype(np.float64))
    ends = np.cumsum(sizes)
    before = np.concatenate([[0.0], running[ends[:-1] - 1]])
    table = np.empty(int(sizes.sum()) + 2 * len(rows))
    places = np.arange(len(running)) + 2 * np.repeat(np.arange(len(rows)), sizes)
    table[places] = running - np.repeat(before, sizes)
    tails = ends + 2 * np.arange(len(rows))
    table[tails] = [point.sum for point, *_ in rows]
    table[tails + 1] = [point.count for point, *_ in rows]
    times = np.array([point.time_unix_nano // 1_000_000 for point, *_ in rows])
    flags = np.array([point.flags & NO_VALUE for point, *_ in rows], bool)
    table[np.repeat(flags, sizes + 2)] = STALE
    _add_rows(context, rows, np.repeat(times, sizes + 2), table, found)


def _add_rows(context: Context, rows: list[Row], times: Any, values: Any, found: Metrics) -> None:
    if context.is_delta:
        series = [one for _, several, _ in rows for one in several]
        triples = zip(series, times.tolist(), values.tolist(), strict=True)
        found.deltas += [(one, ts_ms, value) for one, ts_ms, value in triples]
        return
    number = found.gathered.number
    tail = [number(f"{context.name}_sum"), number(f"{context.name}_count")]
    bucket = number(f"{context.name}_bucket")
    numbers = np.full(len(values), bucket, np.int32)
    ends = np.cumsum([size + 2 for *_, size in rows])
    numbers[ends - 2], numbers[ends - 1] = tail
    ids = np.concatenate([ids for _, ids, _ in rows])
    keep = np.ones(len(values), bool)
    keep[ends - 2] = [point.HasField("sum") for point, *_ in rows]
    found.gathered.add(numbers[keep], ids[keep], times[keep], values[keep])


def _is_whole(point: Any, size: int, refusals: Refusals) -> bool:
    """Whether there is a count for every bucket; a point may also come without any."""
    given = len(point.bucket_counts)
    if given == COUNT_BYTES * size or (given == 0 and size == 1):
        return True
    refusals.add("buckets", 1, "a histogram has not one count for each of its buckets")
    return False
