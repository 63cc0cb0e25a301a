"""The telemetry store as the rest of Steerway sees it."""

import itertools
import os
import uuid
from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TypeVar

import pyarrow as pa

from steerway.telemetry.store import arrow
from steerway.telemetry.store import limits as limiting
from steerway.telemetry.store.errors import Cancelled
from steerway.telemetry.store.layout import Layout
from steerway.telemetry.store.limits import Cancel, Limits

T = TypeVar("T")
MARKS: Final = itertools.count(1)
# A batch is one block, so that it is stored whole: the engine would cut a larger one.
BATCH_ROWS_MAX: Final = 2_000_000


class Backend(Protocol):
    """Where the SQL runs."""

    layout: Layout

    def query(
        self, sql: str, params: Mapping[str, object], settings: Mapping[str, str], mark: str
    ) -> pa.Table:
        """The answer as Arrow. `mark` is what `kill` finds it by."""

    def command(self, sql: str, params: Mapping[str, object]) -> None:
        """Run a statement that answers nothing."""

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        format_: str,
        body: bytes,
        settings: Mapping[str, str],
    ) -> None:
        """Insert rows that are in a format the engine reads."""

    def kill(self, mark: str) -> None:
        """End a running query."""

    def rest(self) -> None:
        """Give back memory that nothing uses."""

    def close(self) -> None:
        """Let go of it."""


class Store:
    """Metrics, logs and traces: one SQL, whichever engine runs it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @property
    def layout(self) -> Layout:
        """How tables are named there."""
        return self._backend.layout

    def table(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        limits: Limits = limiting.DEFAULT,
        cancel: Cancel | None = None,
    ) -> pa.Table:
        """The answer of a query as an Arrow table; moments in UTC, LowCardinality decoded.

        Raises:
            QueryTooLarge: it met one of `limits`.
            Cancelled: `cancel` was used.
            StoreDown: the store does not answer.
        """
        mark = f"steerway-{uuid.uuid4().hex[:8]}-{os.getpid()}-{next(MARKS)}"
        settings = _settings(limits)
        if cancel is None:
            return self._backend.query(sql, params or {}, settings, mark)
        try:
            if not cancel.arm(lambda: self._backend.kill(mark)):
                raise Cancelled
            return self._backend.query(sql, params or {}, settings, mark)
        finally:
            cancel.disarm()

    def rows(
        self,
        kind: type[T],
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        limits: Limits = limiting.DEFAULT,
        cancel: Cancel | None = None,
    ) -> list[T]:
        """The answer as dataclasses whose fields are its columns; for small answers."""
        found = self.table(sql, params, limits=limits, cancel=cancel)
        return [kind(**row) for row in found.to_pylist()]

    def insert(self, table: str, batch: pa.Table, *, token: str = "") -> None:
        """Store rows, whole or not at all; once it returns, killing this process loses none.

        The rows of one day are one part on disk. A batch that spans midnight is a part a day: a
        kill between them leaves the first. With a `token`, an insert that is tried again with the
        same rows and token adds what is missing and doubles nothing.

        Raises:
            BatchInvalid: a text in it is no UTF-8.
            StoreDown: the store does not answer, or its disk is full; nothing was acknowledged.
        """
        assert batch.num_rows <= BATCH_ROWS_MAX, "the engine would cut this batch in two"
        if batch.num_rows:
            body = arrow.stream(table, batch)
            self._backend.insert(table, batch.column_names, "ArrowStream", body, _dedup(token))

    def insert_raw(
        self,
        table: str,
        body: bytes,
        format: str,
        settings: Mapping[str, str] = {},
        *,
        token: str = "",
    ) -> None:
        """Store rows in a format that the engine decodes, such as ProtobufSingle."""
        self._backend.insert(table, (), format, body, {**settings, **_dedup(token)})

    def execute(self, sql: str, params: Mapping[str, object] | None = None) -> None:
        """Run a statement that answers nothing."""
        self._backend.command(sql, params or {})

    def rest(self) -> None:
        """Give back memory that nothing uses, when there is a quiet moment."""
        self._backend.rest()

    def close(self) -> None:
        """End what runs and let go of the engine."""
        self._backend.close()


def _settings(limits: Limits) -> dict[str, str]:
    half = str(limits.memory_bytes // 2)
    return {
        "max_execution_time": f"{limits.seconds:g}",
        "max_memory_usage": str(limits.memory_bytes),
        "max_result_rows": str(limits.rows_max),
        # What would not fit goes to disk first.
        "max_bytes_before_external_group_by": half,
        "max_bytes_before_external_sort": half,
    }


def _dedup(token: str) -> dict[str, str]:
    """With no token of its own an insert gets one.

    Else the engine takes equal rows for a repetition; and a client that tries again when its
    connection breaks doubles none.
    """
    return {"insert_deduplication_token": token or uuid.uuid4().hex}
