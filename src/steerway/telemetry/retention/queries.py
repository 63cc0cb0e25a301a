"""What there is of telemetry on disk, and what its rollups say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from steerway.telemetry.retention import rules
from steerway.telemetry.retention.rules import Part
from steerway.telemetry.store import Limits, Store
from steerway.telemetry.store.tables import TABLES

SIGNALS: Final = {table.name: table.signal for table in TABLES}
PARTS: Final = """
SELECT table, partition_id, name, min_block_number, sum(bytes_on_disk) AS size_bytes
FROM {parts} WHERE active AND database = currentDatabase()
GROUP BY table, partition_id, name, min_block_number
"""
SPAN: Final = "ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)}"
# `n >= p` fails for a reset: the counter began at zero again, and n is all it rose by.
ROSE: Final = "arraySum(arrayMap((p, n) -> if(n >= p, n - p, n), {before}, {after}))"
BETWEEN: Final = ROSE.format(before="arrayPopBack(windows.3)", after="arrayPopFront(windows.2)")
INCREASE: Final = f"""
SELECT id, arraySum(windows.4) + {BETWEEN} AS increase
FROM (
    SELECT id, arraySort(groupArray((ts, first, last, increase))) AS windows
    FROM samples_5m FINAL
    WHERE metric = {{metric:String}} AND id IN {{ids:Array(UInt64)}} AND {SPAN}
    GROUP BY id
)
"""  # noqa: S608 -- of constants
WIDE: Final = Limits(seconds=120)


@dataclass(frozen=True, slots=True)
class Size:
    """What lies on disk, and from which day on the samples, logs and traces are."""

    size_bytes: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Rise:
    """What one counter rose by."""

    id: int
    increase: float


def increase(
    store: Store, *, metric: str, ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, float]:
    """What each counter rose by from its first to its last sample in whole windows of five minutes.

    Resets are counted as PromQL counts them, and nothing is extrapolated. A series without a
    sample there is absent.
    """
    given = {"metric": metric, "ids": list(ids), "since": since, "until": until}
    found = store.rows(Rise, INCREASE, given, limits=WIDE)
    return {one.id: one.increase for one in found}


def parts(store: Store) -> list[Part]:
    """Every part there is, replicas counted once."""
    found = store.table(PARTS.format(parts=store.layout.system("parts")))
    own = {store.layout.stored(name): name for name in SIGNALS}
    return [
        Part(
            table=own[row["table"]],
            signal=SIGNALS[own[row["table"]]],
            partition=row["partition_id"],
            name=row["name"],
            block=row["min_block_number"],
            size_bytes=row["size_bytes"],
        )
        for row in found.to_pylist()
        if row["table"] in own
    ]


def size(store: Store) -> Size:
    """What telemetry takes of the disk.

    Raises:
        StoreDown: the store does not answer.
    """
    known = parts(store)
    days = [part.partition for part in known if part.signal not in {*rules.KEPT, rules.LAST}]
    since = datetime.strptime(min(days), "%Y%m%d").replace(tzinfo=UTC) if days else None
    return Size(sum(part.size_bytes for part in known), since)
