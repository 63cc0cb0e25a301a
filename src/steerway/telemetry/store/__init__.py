"""The store of metrics, logs and traces: one interface, one SQL, two engines.

`current()` is the open store. By default ClickHouse runs inside the server process (chDB) and
keeps its files in `<home>/telemetry`; with `STEERWAY_CLICKHOUSE_URL` it is a server or a cluster.
Always holds: values are bound (`{name:Type}`), every query has limits, and what `insert` has
returned from survives a kill of this process. Opened and closed by the server.
"""

from steerway.telemetry.store.errors import (
    Cancelled,
    QueryFailed,
    QueryTooLarge,
    StoreBusy,
    StoreDown,
)
from steerway.telemetry.store.identity import series_id
from steerway.telemetry.store.limits import Cancel, Limits
from steerway.telemetry.store.opening import close, current, state
from steerway.telemetry.store.opening import open_ as open
from steerway.telemetry.store.store import Store

__all__ = [
    "Cancel",
    "Cancelled",
    "Limits",
    "QueryFailed",
    "QueryTooLarge",
    "Store",
    "StoreBusy",
    "StoreDown",
    "close",
    "current",
    "open",
    "series_id",
    "state",
]
