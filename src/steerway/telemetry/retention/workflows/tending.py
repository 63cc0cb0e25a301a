"""Keeping the store within its bounds, minute by minute: rollups, retention, size."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from steerway.telemetry.retention import rules
from steerway.telemetry.retention.queries import parts
from steerway.telemetry.retention.rules import Keep, Part, Room, Trimmed
from steerway.telemetry.retention.workflows import rollups
from steerway.telemetry.store import QueryFailed, Store

OLD_SERIES: Final = "SELECT count() AS n FROM series WHERE max_ts < {before:DateTime64(3)}"
FORGET_SERIES: Final = "DELETE FROM {series} WHERE max_ts < {{before:DateTime64(3)}}"
NO_SUCH_PART: Final = 232
# Late samples are looked for in a day and a bit, once an hour; before a day is dropped, in it.
MEND: Final = timedelta(hours=26)
MEND_EVERY: Final = timedelta(hours=1)
FORGET_AFTER: Final = timedelta(days=32)  # rollups go by whole months


@dataclass(slots=True)
class Tending:
    """One round after another."""

    store: Store
    keep: Keep
    mended_at: datetime | None = None

    def round(self, now: datetime, room: Room | None) -> list[Trimmed]:
        """Roll up what has closed, drop what is past its days, then what does not fit in `room`.

        Safe to be killed anywhere and to be run again, also by another server at the same time.
        """
        rolled = rollups.advance(self.store, now)
        self._mend(now, rolled)
        self._expire(now, rolled)
        trimmed = self._trim(room) if room else []
        self.store.rest()
        return trimmed

    def _mend(self, now: datetime, rolled: datetime) -> None:
        if self.mended_at and now - self.mended_at < MEND_EVERY:
            return
        rollups.mend(self.store, rollups.floor(now - MEND), rolled, now)
        self._forget(now)
        self.mended_at = now

    def _expire(self, now: datetime, rolled: datetime) -> None:
        for table, partition in rules.expired(parts(self.store), now, self.keep):
            if table == "samples":
                end = rules.ends(partition)
                if rolled < end:
                    continue  # It would be lost to the long view.
                rollups.mend(self.store, end - timedelta(days=1), end, now)
            drop_partition(self.store, table, partition)

    def _trim(self, room: Room) -> list[Trimmed]:
        """Drop parts until the rest fits."""
        known = parts(self.store)
        used = sum(part.size_bytes for part in known)
        limit, reason = rules.allowance(used, room.limit_bytes, room.free_bytes)
        dropped: dict[tuple[str, datetime], int] = {}
        for part in rules.surplus(known, limit):
            drop_part(self.store, part)
            key = (part.table, rules.ends(part.partition))
            dropped[key] = dropped.get(key, 0) + part.size_bytes
        return [Trimmed(table, until, size, reason) for (table, until), size in dropped.items()]

    def _forget(self, now: datetime) -> None:
        """Series that nothing is left of."""
        before = now - timedelta(days=self.keep.rollups) - FORGET_AFTER
        if self.store.table(OLD_SERIES, {"before": before})["n"][0].as_py():
            sql = FORGET_SERIES.format(series=self.store.layout.local("series"))
            self.store.execute(sql, {"before": before})


def drop_partition(store: Store, table: str, partition: str) -> None:
    """Drop all rows of a day or a month."""
    assert partition.isdecimal(), "partitions are days and months"
    store.execute(f"ALTER TABLE {store.layout.local(table)} DROP PARTITION ID '{partition}'")


def drop_part(store: Store, part: Part) -> None:
    """Drop the rows of one part; none when a merge made it part of another one meanwhile."""
    try:
        store.execute(f"ALTER TABLE {store.layout.local(part.table)} DROP PART '{part.name}'")
    except QueryFailed as error:
        if error.code != NO_SUCH_PART:
            raise
