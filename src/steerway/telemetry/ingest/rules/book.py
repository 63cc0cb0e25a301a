"""The series that are alive: who has how many, and until when each is written down."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from steerway.telemetry.ingest.errors import SeriesForgotten
from steerway.telemetry.ingest.rules.limits import IngestLimits, Refusals
from steerway.telemetry.ingest.rules.samples import Ids, Series, SeriesSet, Times
from steerway.telemetry.ingest.rules.tables import SCHEMAS

HOUR_MS: Final = 3_600_000
# A series that was silent for so long is taken from the count of its service.
SILENT_MS: Final = HOUR_MS
FIRST_ROWS: Final = 1024
SAID_EVERY_MS: Final = 60_000  # the label with the most values is looked for once a minute

REFUSED: Final = -1
# Sorted again once so many of them were not found by search: one in four.
MISSED_SHARE: Final = 4

# The newest sample of a series that has just been taken up: what came before is not known here.
NEVER: Final = np.iinfo(np.int64).max

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Admitted:
    """Which samples may be stored.

    A fresh one is newer than every earlier one of its series, so it is new. A late one may have
    come before: the store is asked.
    """

    is_fresh: Mask
    is_late: Mask


class SeriesBook:
    """Every series that sent something within the last hour.

    The table `series` says from when to when a series may have samples. `max_ts` is written
    ahead, to the end of the hour after the one of the newest sample, and again before that is
    reached: a reader who looks for `max_ts >= start` misses no series.
    """

    def __init__(self, limits: IngestLimits, series_max: Callable[[str], int]) -> None:
        self._limits = limits
        self._series_max = series_max
        self.lock = threading.RLock()
        self.generation = 0
        self._rows: dict[int, int] = {}
        self._free: list[int] = []
        self._next = 0
        self._told: list[str] = []  # by row: metric, service and labels, in one text
        self._ids = np.zeros(FIRST_ROWS, np.uint64)
        self._since = np.zeros(FIRST_ROWS, np.int64)
        self._until = np.zeros(FIRST_ROWS, np.int64)
        self._seen = np.zeros(FIRST_ROWS, np.int64)
        self._newest = np.zeros(FIRST_ROWS, np.int64)
        self._run = np.zeros(FIRST_ROWS, np.int64)  # of one call: which run of samples was a row's
        self._missed = 0  # series that were found, but not by search, since they were sorted
        self._sort()
        self.counts: Counter[str] = Counter()
        self._owed: set[int] = set()  # rows to write down
        self._sentences: dict[str, tuple[int, str]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def knows(self, id_: int) -> bool:
        """Whether the series is alive."""
        return id_ in self._rows

    def enter(self, id_: int, series: Series, now_ms: int) -> bool:
        """Take a series up; False when its service has too many."""
        with self.lock:
            if id_ in self._rows:
                return True
            service = service_of(series.labels)
            if self.counts[service] >= self._most(service):
                return False
            row = self._free.pop() if self._free else self._grown()
            self._rows[id_] = row
            self._told[row] = _told(series, service)
            self._ids[row] = id_
            self._since[row], self._until[row] = np.iinfo(np.int64).max, 0
            self._seen[row], self._newest[row] = now_ms, NEVER
            self.counts[service] += 1
            return True

    def admit(
        self, ids: Ids, times: Times, series: SeriesSet, now_ms: int, refusals: Refusals
    ) -> Admitted:
        """Which of these samples may be stored; the others are counted in `refusals`."""
        with self.lock:
            rows = self._rows_by_run(ids, times, series, now_ms)
            if rows is not None:
                return self._admitted(ids, times, rows, series, now_ms, refusals)
            # By series and time, so that a repetition is a neighbour.
            order = np.lexsort((times, ids))
            ids, times = ids[order], times[order]
            is_again = np.zeros(len(ids), bool)
            is_again[1:] = (ids[1:] == ids[:-1]) & (times[1:] == times[:-1])
            once = np.flatnonzero(~is_again)
            rows = self._rows_by_run(ids[once], times[once], series, now_ms)
            assert rows is not None, "they are sorted"
            found = self._admitted(ids[once], times[once], rows, series, now_ms, refusals)
        places = order[once]
        return Admitted(
            _restored(len(order), places, found.is_fresh),
            _restored(len(order), places, found.is_late),
        )

    def _rows_by_run(self, ids: Ids, times: Times, series: SeriesSet, now_ms: int) -> Times | None:
        """The row of each sample, if those of a series are together and in order, as they come."""
        is_first = np.ones(len(ids), bool)
        is_first[1:] = ids[1:] != ids[:-1]
        if not (is_first[1:] | (times[1:] > times[:-1])).all():
            return None
        begins = np.flatnonzero(is_first)
        rows = self._rows_of(ids[begins], series, now_ms)
        known = rows[rows != REFUSED]
        numbers = np.arange(len(known))
        self._run[known] = numbers
        if (self._run[known] != numbers).any():
            return None
        return np.repeat(rows, np.diff(begins, append=len(ids)))

    def _admitted(
        self,
        ids: Ids,
        times: Times,
        rows: Times,
        series: SeriesSet,
        now_ms: int,
        refusals: Refusals,
    ) -> Admitted:
        taken = self._checked(ids, times, series, rows, now_ms, refusals)
        is_late = taken & (times <= self._newest[rows])
        self._touch(rows[taken], times[taken], now_ms)
        return Admitted(taken & ~is_late, is_late)

    def _rows_of(self, unique: Ids, series: SeriesSet, now_ms: int) -> Times:
        places = np.searchsorted(self._sorted_ids[:-1], unique)
        rows: Times = np.where(
            self._sorted_ids[places] == unique, self._sorted_rows[places], REFUSED
        )
        missing = np.flatnonzero(rows == REFUSED)
        for place, id_ in zip(missing.tolist(), unique[missing].tolist(), strict=True):
            if id_ in self._rows or (id_ in series and self.enter(id_, series[id_], now_ms)):
                rows[place] = self._rows[id_]
                self._missed += 1
        if self._missed > len(self._rows) // MISSED_SHARE:
            self._sort()
        return rows

    def _sort(self) -> None:
        """Have all series found quickly, not only those of the last time."""
        ids = np.fromiter(self._rows.keys(), np.uint64, len(self._rows))
        rows = np.fromiter(self._rows.values(), np.int64, len(self._rows))
        order = np.argsort(ids)
        # One more at the end, which is never right: there a larger id is looked for.
        self._sorted_ids = np.append(ids[order], np.uint64(0))
        self._sorted_rows = np.append(rows[order], REFUSED)
        self._missed = 0

    def _checked(
        self,
        ids: Ids,
        times: Times,
        series: SeriesSet,
        rows: Times,
        now_ms: int,
        refusals: Refusals,
    ) -> Mask:
        unknown = rows == REFUSED
        if unknown.any():
            refused = Counter(ids[unknown].tolist())
            if not series.keys() >= refused.keys():
                raise SeriesForgotten(count=len(refused.keys() - series.keys()))
            for id_, count in refused.items():
                self.refuse(series[id_].labels, count, now_ms, refusals)
        in_time = _in_time(times, now_ms, self._limits, refusals, ~unknown)
        known: Mask = ~unknown
        return known & in_time

    def _touch(self, rows: Times, times: Times, now_ms: int) -> None:
        if not len(rows):
            return
        self._seen[rows] = now_ms
        newest = self._newest[rows]
        # Of several times of one series the last is the latest, and the one that stays.
        self._newest[rows] = np.where(newest == NEVER, times, np.maximum(newest, times))
        owed = (times > self._until[rows]) | (times < self._since[rows])
        if not owed.any():
            return
        rows, times = rows[owed], times[owed]
        np.minimum.at(self._since, rows, times)
        ahead = (times // HOUR_MS + 2) * HOUR_MS - 1
        np.maximum.at(self._until, rows, ahead)
        self._owed.update(rows.tolist())

    def refuse(
        self, labels: Mapping[str, str], count: int, now_ms: int, refusals: Refusals
    ) -> None:
        """Count samples of a series that its service may not have."""
        service = service_of(labels)
        said_ms, sentence = self._sentences.get(service, (-SAID_EVERY_MS, ""))
        if now_ms - said_ms >= SAID_EVERY_MS:
            sentence = self._sentence(service)
            self._sentences[service] = (now_ms, sentence)
        refusals.add("series", count, sentence)

    def crowded(self, since_ms: int) -> dict[str, str]:
        """By service: what was said since then to those that have too many series."""
        with self.lock:
            return {
                service: sentence
                for service, (said_ms, sentence) in self._sentences.items()
                if said_ms > since_ms
            }

    def owed(self) -> tuple[pa.Table | None, set[int]]:
        """The rows of `series` to write down, and what `owe_again` takes should that fail."""
        with self.lock:
            mark = self._owed
            if not mark:
                return None, mark
            self._owed = set()
            rows = list(mark)
            told = [self._told[row].split("\0") for row in rows]
            table = pa.table(
                [
                    pa.array([t[0] for t in told], pa.string()).dictionary_encode(),
                    pa.array(self._ids[rows], pa.uint64()),
                    pa.array(
                        [list(zip(t[2::2], t[3::2], strict=True)) for t in told],
                        SCHEMAS["series"].field("labels").type,
                    ),
                    pa.array([t[1] for t in told], pa.string()),
                    pa.array(self._since[rows], pa.int64()),
                    pa.array(self._until[rows], pa.int64()),
                ],
                names=SCHEMAS["series"].names,
            )
            return table.cast(SCHEMAS["series"]), mark

    def owe_again(self, mark: set[int]) -> None:
        """What `owed` gave out could not be written down."""
        with self.lock:
            self._owed |= mark

    def forget_silent(self, now_ms: int) -> int:
        """Take the silent series out; says how many."""
        with self.lock:
            gone = [
                (id_, row)
                for id_, row in self._rows.items()
                if self._seen[row] < now_ms - SILENT_MS and row not in self._owed
            ]
            for id_, row in gone:
                del self._rows[id_]
                self.counts[self._told[row].split("\0", 2)[1]] -= 1
                self._told[row] = ""
                self._free.append(row)
            self._sort()
            self.generation += bool(gone)
            return len(gone)

    def _most(self, service: str) -> int:
        if len(self._rows) >= self._limits.series_total_max:
            return 0
        return self._series_max(service)

    def _grown(self) -> int:
        row = self._next
        self._next += 1
        self._told.append("")
        if row == len(self._since):
            self._ids = np.concatenate([self._ids, np.zeros_like(self._ids)])
            self._since, self._until, self._seen, self._newest, self._run = (
                np.concatenate([column, np.zeros_like(column)])
                for column in (self._since, self._until, self._seen, self._newest, self._run)
            )
        return row

    def _sentence(self, service: str) -> str:
        values: dict[str, set[str]] = {}
        for row in self._rows.values():
            told = self._told[row].split("\0")
            if told[1] == service:
                for name, value in zip(told[2::2], told[3::2], strict=True):
                    values.setdefault(name, set()).add(value)
        label = max(values, key=lambda name: len(values[name]), default="")
        return (
            f"{service or 'a sender without a service name'} has its "
            f"{self._series_max(service)} series; the label with the most values is "
            f"`{label}` ({len(values.get(label, ()))}). Leave it out, or raise telemetry.series."
        )


def _restored(rows: int, places: Times, mask: Mask) -> Mask:
    """A mask of some rows at their places, as one of all."""
    restored = np.zeros(rows, bool)
    restored[places] = mask
    return restored


def service_of(labels: Mapping[str, str]) -> str:
    """The service whose series it is; of foreign series, their job."""
    return labels.get("service") or labels.get("job", "")


def _told(series: Series, service: str) -> str:
    pairs = [text for pair in series.labels.items() for text in pair]
    return "\0".join([series.metric, service, *(text.replace("\0", "\ufffd") for text in pairs)])


def _in_time(
    times: Times,
    now_ms: int,
    limits: IngestLimits,
    refusals: Refusals,
    among: Mask,
) -> Mask:
    past = now_ms - round(limits.past.total_seconds() * 1000)
    future = now_ms + round(limits.future.total_seconds() * 1000)
    old, new = (times < past) & among, (times > future) & among
    refusals.add("too-old", int(old.sum()), f"older than {limits.past}")
    refusals.add(
        "too-new", int(new.sum()), f"more than {limits.future} ahead; set the clock of the sender"
    )
    return ~(old | new)
