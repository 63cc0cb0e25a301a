"""Rows in the order of their table, so that the store has nothing left to sort."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# The blocks of time in the order of the table: see BLOCK in telemetry/store/tables.py.
BLOCK_MS: Final = 7_200_000
BITS: Final = 64


def in_order(rows: pa.Table) -> pa.Table:
    """Samples by metric, block of time, series and time, nearly always.

    The samples of a series must come in the order of their times. All four are packed into one
    number, for which an id is cut: rarely two series are taken for one, and the store sorts.
    """
    metrics = rows["metric"].combine_chunks()
    if not rows.num_rows:
        return rows
    metric = _ranks(metrics)
    blocks = rows["ts"].cast(pa.int64()).to_numpy() // BLOCK_MS
    block = (blocks - blocks.min()).astype(np.uint64)
    places = np.arange(rows.num_rows, dtype=np.uint64)
    left = BITS
    key = np.zeros(rows.num_rows, np.uint64)
    for part in (metric, block):
        left -= int(part.max()).bit_length()
        key |= part << np.uint64(left)
    wide = rows.num_rows.bit_length()
    key |= rows["id"].to_numpy() >> np.uint64(BITS - left + wide) << np.uint64(wide)
    key |= places
    key.sort()
    return rows.take(pa.array(key & np.uint64(2**wide - 1)))


def _ranks(metrics: Any) -> Any:
    """The place of each row's metric among all of them, sorted by their bytes."""
    ranks = np.empty(len(metrics.dictionary), np.uint64)
    ranks[pc.array_sort_indices(metrics.dictionary).to_numpy()] = np.arange(len(ranks))
    return ranks[metrics.indices.to_numpy()]
