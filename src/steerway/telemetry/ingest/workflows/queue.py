"""What waits to be stored: batches by table, bounded in bytes, and who waits for which."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from steerway.telemetry.ingest.errors import QueueFull

# While senders wait, a batch is closed once none has come for so long: most of them answer
# each other's turn, and a later batch would only make them wait.
QUIET_SECONDS: Final = 0.03
# No sender waits longer than this for its batch to be closed.
WAIT_SECONDS: Final = 0.4


@dataclass(slots=True)
class Batch:
    """What goes to the store together."""

    pieces: dict[str, list[pa.Table]] = field(default_factory=dict)
    # Those of the pieces that nobody would send again.
    unwaited: dict[str, list[pa.Table]] = field(default_factory=dict)
    senders: list[tuple[frozenset[str], "Future[None]"]] = field(default_factory=list)
    rows: int = 0
    size_bytes: int = 0

    def tables(self) -> dict[str, pa.Table]:
        """The rows, one table each."""
        return {name: _joined(pieces) for name, pieces in self.pieces.items()}

    def unwaited_table(self, name: str) -> pa.Table | None:
        """The rows of one table that nobody would send again."""
        return _joined(self.unwaited[name]) if name in self.unwaited else None

    def add(self, name: str, table: pa.Table, *, wait: bool) -> None:
        """Take rows of one table in."""
        self.pieces.setdefault(name, []).append(table)
        if not wait:
            self.unwaited.setdefault(name, []).append(table)
        self.rows += table.num_rows
        self.size_bytes += table.nbytes


class Queue:
    """Batches that grow until they are taken."""

    def __init__(self, most_bytes: int, batch_rows: int, linger_seconds: float) -> None:
        self._most_bytes = most_bytes
        self._batch_rows = batch_rows
        self._linger_seconds = linger_seconds
        self._changed = threading.Condition()
        self._batch = Batch()
        self._stored_bytes = 0  # of the batch that is being stored now
        self._is_closing = False

    @property
    def size_bytes(self) -> int:
        """All that waits, with what is being stored now."""
        return self._batch.size_bytes + self._stored_bytes

    def put(self, tables: Mapping[str, pa.Table], *, wait: bool) -> "Future[None]":
        """Add rows; the future ends when they are stored.

        Raises:
            QueueFull: more bytes would wait than may.
        """
        size = sum(table.nbytes for table in tables.values())
        done: Future[None] = Future()
        with self._changed:
            if self.size_bytes + size > self._most_bytes:
                raise QueueFull(waiting=self.size_bytes, most=self._most_bytes)
            for name, table in tables.items():
                self._batch.add(name, table, wait=wait)
            if wait:
                self._batch.senders.append((frozenset(tables), done))
            self._changed.notify_all()
        return done

    def put_back(self, name: str, table: pa.Table) -> bool:
        """Let rows that could not be stored wait again; False when there is no room."""
        with self._changed:
            if self._batch.size_bytes + table.nbytes > self._most_bytes:
                return False
            self._batch.add(name, table, wait=False)
            return True

    def take(self) -> Batch:
        """The next batch, when it is due. An empty one when there was nothing."""
        with self._changed:
            self._stored_bytes = 0
            self._changed.wait_for(self._is_due_now, self._linger_seconds)
            self._let_grow()
            batch, self._batch = self._batch, Batch()
            self._stored_bytes = batch.size_bytes
            return batch

    def close(self) -> None:
        """Let `take` answer at once from now on."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def _is_due_now(self) -> bool:
        batch = self._batch
        return self._is_closing or bool(batch.senders) or batch.rows >= self._batch_rows

    def _let_grow(self) -> None:
        """Give other senders the chance to come along."""
        waited = 0.0
        while (
            self._batch.senders
            and not self._is_closing
            and self._batch.rows < self._batch_rows
            and waited < WAIT_SECONDS
        ):
            waited += QUIET_SECONDS
            if not self._changed.wait(QUIET_SECONDS):
                return


def _joined(pieces: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(pieces).unify_dictionaries()
