"""Following the logs of programs into the store, each line once."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from steerway.telemetry.following import queries
from steerway.telemetry.following.adapters import files
from steerway.telemetry.following.adapters.files import Piece
from steerway.telemetry.following.rules import sources as making
from steerway.telemetry.following.rules.messages import Grouping, Message, lines
from steerway.telemetry.following.rules.places import Place
from steerway.telemetry.following.rules.sources import Rows, Source
from steerway.telemetry.following.workflows import places
from steerway.telemetry.following.workflows.places import Mark
from steerway.telemetry.logs.rules.search import GAP, PLACE
from steerway.telemetry.store import Store

PIECE_BYTES: Final = 1024 * 1024  # of one log at a time, so that a loud one does not starve others
BATCH_BYTES: Final = 8 * 1024 * 1024
ROUNDS_MAX: Final = 50  # of one look; what is left is read at the next
FORGET_AFTER: Final = timedelta(days=30)


@dataclass(slots=True)
class _Log:
    """A log that is followed."""

    source: Source
    place: Place | None
    at: datetime | None
    size: int = -1
    waits: bool = True
    has_gap: bool = False
    is_leaving: bool = False


class _Read(NamedTuple):
    """What was read of a log, and the place behind it; None when there is no file."""

    log: _Log
    rows: Rows
    place: Place | None


class Follower:
    """Reads what programs have printed since the last look, and has it stored.

    `sources` gives the programs that run now. A program that is gone is read to its end once more.
    `sink` stores rows of `logs`, whole or not at all, before it returns. `store` gives a store that
    has all that `sink` ever took, also before this process began.
    """

    def __init__(
        self,
        sources: Callable[[], Sequence[Source]],
        sink: Callable[[pa.Table], None],
        *,
        store: Callable[[], Store],
        now: Callable[[], datetime],
        file: Path,
    ) -> None:
        self._sources = sources
        self._sink = sink
        self._store = store
        self._now = now
        self._file = file
        self._marks: dict[str, Mark] = {}
        self._logs: dict[str, _Log] = {}
        self._is_sure = False

    def look(self) -> int:
        """Store what is new; how many lines.

        Raises:
            StoreDown: the store does not answer; nothing is lost, what is new waits in its file.
            QueueFull: too much waits to be stored; the same.
            NotStored: the store did not take it; the same.
        """
        self._recover()
        self._attend(self._sources())
        stored = 0
        done: set[str] = set()
        for _ in range(ROUNDS_MAX):
            found, seen = self._read(done)
            if found:
                stored += self._store_all(found)
            self._pass_over(seen)
            if not found and not seen:
                break
        self._let_go()
        return stored

    def _recover(self) -> None:
        """Learn from the store how far each log was read: it alone knows what it has."""
        if self._is_sure:
            return
        self._marks = places.load(self._file)
        self._logs.clear()
        behind = [mark.at for mark in self._marks.values() if mark.at is not None]
        since = min(behind, default=self._now() - FORGET_AFTER)
        for instance, (place, at) in queries.marks(self._store(), since=since).items():
            known = self._marks.get(instance)
            if known is None or known.at is None or at > known.at:
                self._marks[instance] = Mark(place, at)
        self._is_sure = True

    def _attend(self, sources: Sequence[Source]) -> None:
        for source in sources:
            known = self._logs.get(source.instance)
            if known is None:
                mark = self._marks.get(source.instance)
                place, at = (mark.place, mark.at) if mark else (None, None)
                self._logs[source.instance] = _Log(source, place, at)
            else:
                known.source = source
        present = {source.instance for source in sources if not source.is_over}
        for instance, log in self._logs.items():
            log.is_leaving = instance not in present

    def _read(self, done: set[str]) -> tuple[list[_Read], list[_Read]]:
        """What was read with rows to store, and without; `done` are read to their end."""
        found: list[_Read] = []
        seen: list[_Read] = []
        left = BATCH_BYTES
        for instance, log in self._logs.items():
            if left <= 0:
                break
            if instance in done or not self._is_worth_reading(log):
                continue
            # A log that nothing was stored of is read from its very first line.
            piece = files.read(log.source.path, log.place, PIECE_BYTES, archives=True)
            rows = self._rows(log, piece)
            left -= rows.taken
            (found if rows.parsed else seen).append(_Read(log, rows, piece.place(rows.taken)))
            if piece.is_whole:
                done.add(instance)
        return found, seen

    def _is_worth_reading(self, log: _Log) -> bool:
        if log.waits or log.is_leaving:
            return True
        with contextlib.suppress(FileNotFoundError):
            return log.source.path.stat().st_size != log.size
        return False

    def _rows(self, log: _Log, piece: Piece) -> Rows:
        is_quiet = piece.is_whole and piece.size == log.size
        rows = making.rows(
            log.source,
            _messages(log, piece, is_quiet=is_quiet),
            read_at=self._now(),
            after=log.at,
        )
        making.hide(rows)
        log.has_gap = log.has_gap or piece.is_lost
        if log.has_gap and rows.parsed:
            rows.parsed[0].attributes[GAP] = "true"
        # Something waits for more: a message that may grow, or the rest of a large file.
        log.waits = not piece.is_whole or (rows.taken < len(piece.data) and not is_quiet)
        log.size = piece.size
        return rows

    def _store_all(self, found: list[_Read]) -> int:
        for one in found:
            assert one.place is not None, "rows come from a file"
            one.rows.parsed[-1].attributes[PLACE] = one.place.written()
        table = making.table([one.rows for one in found])
        # If this fails, only the store knows how far it came.
        self._is_sure = False
        self._sink(table)
        self._is_sure = True
        for one in found:
            one.log.place, one.log.at = one.place, one.rows.moments[-1]
            one.log.has_gap = False
        self._save()
        return sum(len(one.rows.parsed) for one in found)

    def _pass_over(self, seen: list[_Read]) -> None:
        """Go on behind empty lines, which are not stored."""
        for one in seen:
            one.log.place = one.place or one.log.place

    def _save(self) -> None:
        for instance, log in self._logs.items():
            if log.place is not None:
                self._marks[instance] = Mark(log.place, log.at)
        oldest = self._now() - FORGET_AFTER
        kept = {
            n: m for n, m in self._marks.items() if n in self._logs or (m.at or oldest) > oldest
        }
        self._marks = kept
        places.save(self._file, kept)

    def _let_go(self) -> None:
        gone = [name for name, log in self._logs.items() if log.is_leaving and not log.waits]
        for name in gone:
            del self._logs[name]


def _messages(log: _Log, piece: Piece, *, is_quiet: bool) -> Iterator[Message]:
    """The messages of a piece; the last one only when it can not grow, or does not."""
    grouping = Grouping(is_joining=log.source.is_joining)
    taken = 0
    for message in grouping.add(lines(piece.data, is_final=log.is_leaving and piece.is_whole)):
        taken = message.end
        yield message
    is_stuck = not taken and not piece.is_whole
    is_over = is_quiet or (log.is_leaving and piece.is_whole)
    if is_over or is_stuck or not grouping.may_grow:
        yield from grouping.flush()
