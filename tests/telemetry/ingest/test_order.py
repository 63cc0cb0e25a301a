"""Samples reach the store in the order of its table."""

import numpy as np
import pyarrow as pa

from steerway.telemetry.ingest.rules.order import BLOCK_MS, in_order
from steerway.telemetry.ingest.rules.samples import Samples, table_of


def test_samples_lie_by_metric_block_series_and_time() -> None:
    chance = np.random.default_rng(7)
    ids = chance.integers(0, 2**64, 20, np.uint64)
    places = np.repeat(chance.permutation(np.arange(20)), 6)
    times = 10 * BLOCK_MS + np.tile(np.arange(6) * BLOCK_MS // 2, 20)
    metrics = [("z", "\u00e9", "a_total", "a")[place % 4] for place in places.tolist()]
    rows = table_of(Samples(metrics, ids[places], times, times.astype(np.float64)))

    found = in_order(rows).cast(pa.schema(rows.schema).set(2, pa.field("ts", pa.int64())))

    keys = [
        (row["metric"].encode(), row["ts"] // BLOCK_MS, row["id"], row["ts"])
        for row in found.to_pylist()
    ]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(rows)
    assert found["value"].to_pylist() == found["ts"].to_pylist()
    assert in_order(rows.slice(0, 0)).num_rows == 0
