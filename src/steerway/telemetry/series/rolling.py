"""Range functions that the engine computes, series by series.

Source: ClickHouse, Aggregate functions, timeSeries*ToGrid: they follow Prometheus 3.
"""

from typing import Final

import numpy as np
import pyarrow as pa

from steerway.telemetry.series.index import Ids, Statement
from steerway.telemetry.series.selecting import Selection
from steerway.telemetry.vectors.shapes import STALE_BITS, Bools, Floats, Grid

FUNCTIONS: Final = {
    "rate": "timeSeriesRateToGrid",
    "increase": "timeSeriesIncreaseToGrid",
    "delta": "timeSeriesDeltaToGrid",
    "irate": "timeSeriesInstantRateToGrid",
    "idelta": "timeSeriesInstantDeltaToGrid",
    "newest": "timeSeriesLastToGrid",
}
# The samples of one piece of a query: the engine holds those of a piece in memory.
PIECE_SAMPLES: Final = 1_500_000
# Ids named in one statement; where more are wanted, all are read and the others left out.
IDS_MAX: Final = 5_000
SAMPLE_EVERY_MS: Final = 15_000  # taken for granted where pieces are cut

GRID: Final = """
SELECT id, {function}('{start}', '{end}', '{step}', '{length}')(ts, value) AS found
FROM samples WHERE {which} {stale}
GROUP BY id SETTINGS enable_time_series_aggregate_functions = 1
"""
SAMPLES: Final = "SELECT id, ts, value FROM samples WHERE {which} {stale} ORDER BY id, ts"
NOT_STALE: Final = f"AND reinterpretAsUInt64(value) != {STALE_BITS}"


def grid(
    function: str, selection: Selection, ends: Grid, length: int, part: Ids | None = None
) -> Statement:
    """A range function over windows that end at the moments of a grid."""
    which, params = _which(selection, ends.start - length, ends.last, part)
    sql = GRID.format(
        function=FUNCTIONS[function],
        start=_seconds(ends.start),
        end=_seconds(ends.last),
        step=_seconds(ends.step),
        length=_seconds(length),
        which=which,
        stale="" if function == "newest" else NOT_STALE,
    )
    return Statement(sql, params)


def samples(selection: Selection, start: int, end: int, *, stale: bool) -> Statement:
    """All samples after a moment, up to another."""
    which, params = _which(selection, start, end, None)
    return Statement(SAMPLES.format(which=which, stale="" if stale else NOT_STALE), params)


def _which(
    selection: Selection, start: int, end: int, part: Ids | None
) -> tuple[str, dict[str, object]]:
    """The condition on rows: metric and two-hour block, which the table is sorted by, then ids."""
    params: dict[str, object] = {"start": start, "end": end}
    if len(selection.metrics) == 1:
        parts, params["metric"] = ["metric = {metric:String}"], selection.metrics[0]
    else:
        parts, params["metrics"] = ["metric IN {metrics:Array(String)}"], list(selection.metrics)
    parts += [
        "ts > fromUnixTimestamp64Milli({start:Int64})",
        "ts <= fromUnixTimestamp64Milli({end:Int64})",
    ]
    if part is not None and selection.is_most:
        parts.append("id BETWEEN {first:UInt64} AND {last:UInt64}")
        params |= {"first": int(part[0]), "last": int(part[-1])}
    elif not selection.is_most and (part is not None or len(selection.ids) <= IDS_MAX):
        parts.append("id IN {ids:Array(UInt64)}")
        params["ids"] = (selection.ids if part is None else part).tolist()
    return " AND ".join(parts), params


def _seconds(milliseconds: int) -> str:
    sign = "-" if milliseconds < 0 else ""
    return f"{sign}{abs(milliseconds) / 1000:.3f}"


def pieces(selection: Selection, ends: Grid, length: int) -> list[Ids]:
    """The series in pieces that fit into the engine's memory; ids in order."""
    ids = np.sort(selection.ids)
    each = max(1, (ends.last - ends.start + length) // SAMPLE_EVERY_MS)
    size = max(1, PIECE_SAMPLES // each)
    if not selection.is_most:
        size = min(size, IDS_MAX)
    return [ids[at : at + size] for at in range(0, len(ids), size)]


def matrix(table: pa.Table, width: int) -> tuple[Ids, Floats, Bools]:
    """Ids, values and where there are any, from an answer with one array for each series."""
    ids = table["id"].to_numpy().astype(np.uint64)
    if not len(ids):
        return ids, np.zeros((0, width)), np.zeros((0, width), np.bool_)
    flat = table["found"].combine_chunks()
    if isinstance(flat, pa.ChunkedArray):
        flat = flat.chunk(0)
    numbers = flat.values
    held = numbers.is_valid().to_numpy(zero_copy_only=False).reshape(len(ids), width)
    buffer = numbers.buffers()[1]
    values = np.frombuffer(buffer, np.float64, len(numbers), numbers.offset * 8)
    return ids, values.reshape(len(ids), width), held
