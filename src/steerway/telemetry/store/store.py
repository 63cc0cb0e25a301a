"""The telemetry store as the rest of Steerway sees it."""

import itertools
import os
from collections.abc import Mapping
from typing import Final, Protocol, TypeVar

import pyarrow as pa

from steerway.telemetry.store import limits as limiting
from steerway.telemetry.store.errors import Cancelled
from steerway.telemetry.store.limits import Cancel, Limits
from steerway.telemetry.store.parameters import encoded

T = TypeVar("T")
MARKS: Final = itertools.count(1)


class Backend(Protocol):
    """Where the SQL runs."""

    def query(
        self, sql: str, params: Mapping[str, str], settings: Mapping[str, str], mark: str
    ) -> pa.Table:
        """The answer as Arrow."""

    def command(self, sql: str, params: Mapping[str, str]) -> None:
        """Run a statement that answers nothing."""

    def insert(self, sql: str, format_: str, body: bytes) -> None:
        """Run an INSERT with its rows."""

    def kill(self, mark: str) -> None:
        """End a running query."""

    def close(self) -> None:
        """Let go of it."""


class Store:
    """Metrics, logs and traces: one SQL, whichever engine runs it."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def table(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        *,
        limits: Limits = limiting.DEFAULT,
        cancel: Cancel | None = None,
    ) -> pa.Table:
        """The answer of a query as an Arrow table.

        Raises:
            QueryTooLarge: it met one of `limits`.
            Cancelled: `cancel` was used.
            StoreDown: the store does not answer.
        """
        mark = f"steerway-{os.getpid()}-{next(MARKS)}"
        if cancel is not None:
            if cancel.asked:
                raise Cancelled
            cancel.arm(lambda: self.backend.kill(mark))
        try:
            return self.backend.query(sql, encoded(params), _settings(limits), mark)
        finally:
            if cancel is not None:
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

    def insert(self, table: str, batch: pa.Table) -> None:
        """Store rows, whole or not at all; once it returns, killing this process loses none."""
        if not batch.num_rows:
            return
        sink = pa.BufferOutputStream()
        batch = batch.combine_chunks()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_table(batch)
        columns = ", ".join(f"`{name}`" for name in batch.column_names)
        self.backend.insert(
            f"INSERT INTO {table} ({columns})", "ArrowStream", sink.getvalue().to_pybytes()
        )

    def insert_raw(
        self, table: str, body: bytes, format: str, settings: Mapping[str, str] = {}
    ) -> None:
        """Store rows in a format that the engine decodes, such as ProtobufSingle."""
        given = ", ".join(f"{name} = {_quoted(value)}" for name, value in settings.items())
        self.backend.insert(
            f"INSERT INTO {table}" + (f" SETTINGS {given}" if given else ""), format, body
        )

    def execute(self, sql: str, params: Mapping[str, object] | None = None) -> None:
        """Run a statement that answers nothing."""
        self.backend.command(sql, encoded(params))

    def close(self) -> None:
        """Let go of the engine."""
        self.backend.close()


def _settings(limits: Limits) -> dict[str, str]:
    return {
        "max_execution_time": f"{limits.seconds:g}",
        "max_memory_usage": str(limits.memory_bytes),
        "max_result_rows": str(limits.rows_max),
    }


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
