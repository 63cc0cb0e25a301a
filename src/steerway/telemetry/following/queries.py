"""What the store has of the files that are followed."""

from datetime import datetime
from typing import Final

import pyarrow as pa

from steerway.telemetry.following.rules.places import Place, place
from steerway.telemetry.following.rules.requests import keys
from steerway.telemetry.logs.rules.search import PLACE
from steerway.telemetry.store import Limits, Store

MARKS: Final = """
SELECT instance, argMax(attributes[{name:String}], ts) AS place, max(ts) AS at FROM logs
WHERE ts >= {since:DateTime64(6)} AND source IN ('process', 'steerway')
    AND mapContains(attributes, {name:String})
GROUP BY instance
"""
REQUESTS: Final = """
SELECT ts, client, path, status, request_id FROM requests
WHERE ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)}
"""
RECOVERY: Final = Limits(seconds=60, memory_bytes=400 * 1024 * 1024, rows_max=5_000_000)


def marks(store: Store, *, since: datetime) -> dict[str, tuple[Place, datetime]]:
    """How far the log of each program was read, by its lines since a moment, and the last one's.

    Raises:
        StoreDown: the store does not answer.
    """
    table = store.table(MARKS, {"since": since, "name": PLACE}, limits=RECOVERY)
    return {
        row["instance"]: (known, row["at"])
        for row in table.to_pylist()
        if (known := place(row["place"]))
    }


def known_requests(store: Store, *, since: datetime, until: datetime) -> pa.ChunkedArray:
    """What tells the stored requests of a span of time apart; both ends included.

    Raises:
        StoreDown: the store does not answer.
    """
    params = {"since": since, "until": until}
    return keys(store.table(REQUESTS, params, limits=RECOVERY))
