"""What ingest asks the store."""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from steerway.telemetry.store import Limits, Store

IDS_MAX: Final = 10_000  # asked for at once
ANSWER: Final = Limits(seconds=20.0, memory_bytes=256 * 1024 * 1024, rows_max=10_000_000)

STORED: Final = """
SELECT id, toUnixTimestamp64Milli(ts) AS ms
FROM {table}
WHERE metric IN {{metrics:Array(String)}} AND id IN {{ids:Array(UInt64)}}
  AND ts >= fromUnixTimestamp64Milli({{first:Int64}})
  AND ts <= fromUnixTimestamp64Milli({{last:Int64}})
"""


def news(store: Store, table: str, rows: pa.Table) -> pa.Table:
    """Those of the rows whose series has nothing at their time yet, each time once."""
    ids, times = rows["id"].to_numpy(), rows["ts"].cast(pa.int64()).to_numpy()
    metrics = rows["metric"].unique().to_pylist()
    there = [_keys(ids, times)[:0]]
    unique = np.unique(ids)
    for start in range(0, len(unique), IDS_MAX):
        some = unique[start : start + IDS_MAX]
        asked: dict[str, object] = {
            "metrics": metrics,
            "ids": some.tolist(),
            "first": int(times.min()),
            "last": int(times.max()),
        }
        found = store.table(STORED.format(table=table), asked, limits=ANSWER)
        there.append(_keys(found["id"].to_numpy(), found["ms"].to_numpy()))
    keys = _keys(ids, times)
    is_new = ~np.isin(keys, np.concatenate(there))
    _, first = np.unique(keys, return_index=True)
    is_once = np.zeros(len(keys), bool)
    is_once[first] = True
    return rows.filter(pa.array(is_new & is_once))


def _keys(ids: Any, times: Any) -> Any:
    """Series and time of each row, as one thing that can be compared."""
    pairs = np.empty(len(ids), dtype=[("id", np.uint64), ("ms", np.int64)])
    pairs["id"], pairs["ms"] = ids, times
    return pairs
