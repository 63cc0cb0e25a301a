"""What is kept, and what goes first when room is needed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

EVENTS: Final[Mapping[str, str]] = {
    "telemetry.trimmed": "Telemetry was dropped before its time, because room was needed.",
}
DAY_DIGITS: Final = 8
LAST_MONTH: Final = 12
# The long view is small and the last to go; series and notes are never dropped.
LAST: Final = "rollups"
KEPT: Final = ("series", "store")
# Records and workflows live on the same disk and come first.
RESERVE_BYTES: Final = 1024**3
# Below the limit by so much, so that the next rows do not trim again.
TRIM_RATIO: Final = 0.95


@dataclass(frozen=True, slots=True)
class Keep:
    """How many days of each signal are kept."""

    metrics: int
    rollups: int
    logs: int
    traces: int
    requests: int

    def days(self, signal: str) -> int | None:
        """Days of a signal; None is for as long as there is the store."""
        return None if signal in KEPT else int(getattr(self, signal))


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one table, as they lie on disk. `block` rises with the time of writing."""

    table: str
    signal: str
    partition: str
    name: str
    block: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Room:
    """The disk under the store: what telemetry may take of it, and what is free."""

    limit_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What was dropped to make room. `until` is when its partition ends."""

    table: str
    until: datetime
    size_bytes: int
    reason: str


def ends(partition: str) -> datetime:
    """When a partition ends: 20260131 is a day, 202601 a month."""
    year, month = int(partition[:4]), int(partition[4:6])
    if len(partition) == DAY_DIGITS:
        return datetime(year, month, int(partition[6:]), tzinfo=UTC) + timedelta(days=1)
    return datetime(year + month // LAST_MONTH, month % LAST_MONTH + 1, 1, tzinfo=UTC)


def expired(parts: Iterable[Part], now: datetime, keep: Keep) -> list[tuple[str, str]]:
    """Tables and their partitions of which every row is older than it is kept.

    Rollups last: until then what is dropped can be rolled up.
    """
    found = set()
    for part in parts:
        days = keep.days(part.signal)
        if days is not None and ends(part.partition) <= now - timedelta(days=days):
            found.add((part.signal == LAST, (part.table, part.partition)))
    return [name for _, name in sorted(found)]


def allowance(used_bytes: int, limit_bytes: int, free_bytes: int) -> tuple[int, str]:
    """The room that telemetry may take, and what sets the bound.

    On a disk that fills up telemetry gives way.
    """
    possible = used_bytes + free_bytes - RESERVE_BYTES
    if possible < limit_bytes:
        return max(possible, 0), "less than 1 GB of the disk would be free"
    return limit_bytes, f"the limit of {limit_bytes / 1024**3:g} GB"


def surplus(parts: Sequence[Part], limit_bytes: int) -> list[Part]:
    """The parts to drop so that the rest is within the limit; nothing while it is.

    Rollups first, as far as they take more than half of it: a year of them must not leave a day of
    anything else. Then the oldest day whatever the signal, and within a day what was written first;
    the rest of the rollups when nothing else is left.
    """
    known = sorted((part for part in parts if part.signal not in KEPT), key=_age)
    size = sum(part.size_bytes for part in parts)
    if size <= limit_bytes:
        return []
    rolled = [part for part in known if part.signal == LAST]
    surplus_bytes = sum(part.size_bytes for part in rolled) - limit_bytes // 2
    first = _covering(rolled[:-1], min(surplus_bytes, size - limit_bytes))
    rest = [part for part in known if part not in first]
    left = size - sum(part.size_bytes for part in first)
    return first + _covering(rest, left - int(limit_bytes * TRIM_RATIO))


def _covering(parts: Sequence[Part], wanted_bytes: int) -> list[Part]:
    """As many of the parts, from the first on, as make up so many bytes."""
    found: list[Part] = []
    for part in parts:
        if wanted_bytes <= 0:
            break
        found.append(part)
        wanted_bytes -= part.size_bytes
    return found


def _age(part: Part) -> tuple[bool, datetime, int, str]:
    return part.signal == LAST, ends(part.partition), part.block, part.table
