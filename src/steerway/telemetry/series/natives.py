"""Native histograms from the store."""

from typing import Final

import numpy as np
import pyarrow as pa

from steerway.telemetry.series import rolling
from steerway.telemetry.series.index import Ask, Statement
from steerway.telemetry.series.selecting import Selection
from steerway.telemetry.vectors.native import Histogram
from steerway.telemetry.vectors.shapes import NOTHING, STALE_BITS, Samples

COLUMNS: Final = (
    "schema",
    "zero_threshold",
    "zero_count",
    "count",
    "sum",
    "positive_offset",
    "positive",
    "negative_offset",
    "negative",
)
ROWS: Final = " ".join(["SELECT id, ts,", ", ".join(COLUMNS), "FROM histograms WHERE "])


def read(
    ask: Ask, selection: Selection, start: int, end: int, *, stale: bool
) -> list[tuple[int, int, float, Histogram | None]]:
    """Row of the series, time, value and histogram; a stale mark has a value and no histogram."""
    statement = rolling.samples(selection, start, end, stale=True)
    where = statement.sql.partition("WHERE ")[2]
    table = ask(Statement(ROWS + where, statement.params))
    times = table["ts"].cast(pa.int64()).to_pylist()
    places = {int(number): row for row, number in enumerate(selection.ids)}
    found: list[tuple[int, int, float, Histogram | None]] = []
    for time, one in zip(times, table.select(["id", *COLUMNS]).to_pylist(), strict=True):
        row = places.get(one.pop("id"))
        if row is None:
            continue
        is_stale = np.float64(one["sum"]).view(np.uint64) == STALE_BITS
        if is_stale and stale:
            found.append((row, time, one["sum"], None))
        elif not is_stale:
            found.append((row, time, 0.0, _histogram(one)))
    return found


def _histogram(row: dict[str, object]) -> Histogram:
    arrays = {name: np.array(row[name], np.float64) for name in ("positive", "negative")}
    return Histogram(**{**row, **arrays})  # type: ignore[arg-type]  # columns by their names


def mixed(
    selection: Selection, floats: Samples, more: list[tuple[int, int, float, Histogram | None]]
) -> Samples:
    """Numbers and histograms of the same series, in the order of time."""
    rows = np.repeat(np.arange(len(selection.ids)), np.diff(floats.starts))
    row = np.concatenate([rows, np.array([one[0] for one in more], np.int64)])
    times = np.concatenate([floats.times, np.array([one[1] for one in more], np.int64)])
    values = np.concatenate([floats.values, np.array([one[2] for one in more], np.float64)])
    histograms = np.full(len(row), NOTHING, object)
    for place, one in enumerate(more):
        histograms[len(rows) + place] = one[3]
    order = np.lexsort((times, row))
    starts = np.searchsorted(row[order], np.arange(len(selection.ids) + 1)).astype(np.int64)
    return Samples(
        selection.labels, starts, times[order], values[order], floats.drops, histograms[order]
    )
