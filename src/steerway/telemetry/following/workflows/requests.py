"""Following the router's access log into the store, each request once."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa

from steerway.telemetry.following import queries
from steerway.telemetry.following.adapters import files
from steerway.telemetry.following.rules import requests as making
from steerway.telemetry.following.rules.places import Place
from steerway.telemetry.following.workflows import places
from steerway.telemetry.following.workflows.places import Mark
from steerway.telemetry.store import Store

PIECE_BYTES: Final = 8 * 1024 * 1024
ROUNDS_MAX: Final = 50
NAME: Final = "access"


class RequestFollower:
    """Reads what the router has answered since the last look, and has it stored.

    `versions` says by the router's name for a version what people call it. `sink` stores rows of
    `requests`, whole or not at all, before it returns. After a start, and
    after the store failed, what is read is first compared with what the store has.
    """

    def __init__(
        self,
        path: Path,
        versions: Callable[[], Mapping[str, str]],
        sink: Callable[[pa.Table], None],
        *,
        store: Callable[[], Store],
        file: Path,
    ) -> None:
        self._path = path
        self._versions = versions
        self._sink = sink
        self._store = store
        self._file = file
        self._is_sure = False
        mark = places.load(file).get(NAME)
        self._place: Place | None = mark.place if mark else None
        self.unreadable = 0  # lines that were no access log, since the start

    def look(self) -> int:
        """Store what is new; how many requests.

        Raises:
            StoreDown: the store does not answer; nothing is lost, what is new waits in its file.
            QueueFull: too much waits to be stored; the same.
            NotStored: the store did not take it; the same.
        """
        stored = 0
        for _ in range(ROUNDS_MAX):
            piece = files.read(self._path, self._place, PIECE_BYTES)
            lines = making.whole(piece.data)
            if not lines and len(piece.data) >= PIECE_BYTES:
                lines = piece.data  # no line end in all of it: rubbish, which is passed over
            if lines:
                stored += self._take(lines, piece.place(len(lines)))
            if piece.is_whole:
                self._is_sure = True
                break
        return stored

    def _take(self, lines: bytes, behind: Place | None) -> int:
        found = making.requests(lines, self._versions())
        self.unreadable += lines.count(b"\n") - found.num_rows
        new = found if self._is_sure else self._unknown(found)
        # If this fails, only the store knows how far it came.
        is_sure, self._is_sure = self._is_sure, False
        self._sink(new)
        self._is_sure = is_sure
        self._place = behind or self._place
        if self._place is not None:
            places.save(self._file, {NAME: Mark(self._place, None)})
        return int(new.num_rows)

    def _unknown(self, found: pa.Table) -> pa.Table:
        if not found.num_rows:
            return found
        since, until = making.span(found)
        return making.without(
            found, queries.known_requests(self._store(), since=since, until=until)
        )
