"""What waits to be stored: batches by table, bounded in bytes, each with its journal segment."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from steerway.telemetry.ingest.adapters.journal import NO_DIGEST, Journal
from steerway.telemetry.ingest.errors import NotStored, QueueFull
from steerway.telemetry.ingest.rules.limits import IngestLimits

STOPPING: Final = "the server is stopping"


@dataclass(slots=True)
class Batch:
    """What goes to the store together; `segment` is where the journal has it."""

    pieces: dict[str, list[pa.Table]] = field(default_factory=dict)
    stored: "Future[None]" = field(default_factory=Future)
    segment: str = ""  # none
    rows: int = 0
    size_bytes: int = 0
    digests: list[bytes] = field(default_factory=list)

    def tables(self) -> dict[str, pa.Table]:
        """The rows, one table each."""
        return {
            name: pa.concat_tables(pieces).unify_dictionaries()
            for name, pieces in self.pieces.items()
        }

    def add(self, tables: Mapping[str, pa.Table], digest: bytes) -> None:
        """Take rows in, and the digest of the body that they came in."""
        if digest != NO_DIGEST:
            self.digests.append(digest)
        for name, table in tables.items():
            self.pieces.setdefault(name, []).append(table)
            self.rows += table.num_rows
            self.size_bytes += table.nbytes

    def end(self, error: Exception | None = None) -> None:
        """Tell whoever waits that it is stored, or why not; what is said first holds."""
        with suppress(InvalidStateError):
            if error is None:
                self.stored.set_result(None)
            else:
                self.stored.set_exception(error)


class Queue:
    """A batch that grows until it is taken, and the one that is being stored."""

    def __init__(self, journal: Journal | None, limits: IngestLimits) -> None:
        self._journal = journal
        self._limits = limits
        self._linger_seconds = limits.linger.total_seconds()
        self._busy_seconds = max(limits.busy_linger.total_seconds() - self._linger_seconds, 0)
        self._changed = threading.Condition()
        self._batch = Batch()
        self._storing = Batch()
        self._is_hurried = False
        self._is_closing = False
        self._is_over = False

    @property
    def size_bytes(self) -> int:
        """All that waits, with what is being stored now."""
        return self._batch.size_bytes + self._storing.size_bytes

    def put(self, tables: Mapping[str, pa.Table], digest: bytes = NO_DIGEST) -> "Future[None]":
        """Add rows; they are in the journal when this returns, in the store when the future ends.

        Raises:
            QueueFull: more bytes would wait than may.
            NotStored: the journal cannot be written, or nobody stores any more.
        """
        size = sum(table.nbytes for table in tables.values())
        with self._changed:
            if self._is_over:
                raise NotStored(reason=STOPPING)
            if self.size_bytes + size > self._limits.queue_bytes:
                raise QueueFull(waiting=self.size_bytes, most=self._limits.queue_bytes)
            if self._journal is not None:
                self._journal.append(tables, digest)
            self._batch.add(tables, digest)
            if self._batch.rows >= self._limits.batch_rows:
                self._changed.notify_all()
            return self._batch.stored

    def take(self) -> Batch:
        """The next batch, when it is due. An empty one when there was nothing."""
        with self._changed:
            self._storing = Batch()
            self._changed.wait_for(self._is_due, self._linger_seconds)
            if self._batch.rows >= self._limits.busy_rows:
                self._changed.wait_for(self._is_due, self._busy_seconds)
            batch, self._batch = self._batch, Batch()
            if self._journal is not None:
                batch.segment = self._journal.turn()
            self._storing = batch
            self._is_hurried = False
            return batch

    def hurry(self) -> "Future[None]":
        """Let `take` answer at once; the future ends when all that waits now is stored."""
        with self._changed:
            self._is_hurried = True
            self._changed.notify_all()
            return self._batch.stored

    def close(self) -> None:
        """Let `take` answer at once from now on."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def end(self) -> None:
        """Take nothing more, and tell whoever waits still."""
        with self._changed:
            self._is_over = True
            for batch in (self._storing, self._batch):
                batch.end(NotStored(reason=STOPPING))

    def _is_due(self) -> bool:
        return self._is_closing or self._is_hurried or self._batch.rows >= self._limits.batch_rows
