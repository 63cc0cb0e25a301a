"""ClickHouse inside this process (chDB): nothing to install, one owner of the directory.

What must be known of it: a query that fails in the middle leaves its output in its connection,
as the head of the next answer, so a connection that failed is dropped; a process that ends or
forks while a query runs crashes or hangs, so `close` ends queries first and a child is refused.
"""

import fcntl
import itertools
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from steerway.telemetry.store import arrow, residency
from steerway.telemetry.store.errors import StoreBusy, StoreDown
from steerway.telemetry.store.failures import failure, refusal
from steerway.telemetry.store.layout import Layout
from steerway.telemetry.store.parameters import encoded, quoted

READERS_MAX: Final = 6
WRITERS_MAX: Final = 3
WAIT_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 10.0
CLOSE_STEP_SECONDS: Final = 0.05
MB: Final = 1024 * 1024
# The engine is a guest in the server: few threads, small caches. Its own defaults are those of a
# machine that does nothing else.
ENGINE: Final = {
    "background_pool_size": 2,
    "background_schedule_pool_size": 4,
    "max_thread_pool_size": 64,
    "memory_worker_period_ms": 500,
    "max_io_thread_pool_size": 8,
    "mark_cache_size": 16 * MB,
    "index_mark_cache_size": 8 * MB,
    "primary_index_cache_size": 16 * MB,
    "text_index_tokens_cache_size": 8 * MB,
    "text_index_header_cache_size": 16 * MB,
    "text_index_postings_cache_size": 16 * MB,
    "query_condition_cache_size": 8 * MB,
    "compiled_expression_cache_size": 8 * MB,
    "parquet_metadata_cache_size": 1 * MB,
}
SESSION: Final = {
    "session_timezone": "'UTC'",
    "enable_time_series_aggregate_functions": "1",
    "max_threads": "2",
    "max_insert_threads": "1",
    "max_insert_block_size": "2000000",
    "min_insert_block_size_rows": "2000000",
    "min_insert_block_size_bytes": str(512 * MB),
    "output_format_arrow_compression_method": "'none'",
}


class Embedded:
    """Connections to the one engine of this process."""

    layout = Layout()

    def __init__(self, path: Path, memory_bytes: int) -> None:
        options = ENGINE | {"max_server_memory_usage": memory_bytes}
        self._path = path
        self._address = f"{path}?" + "&".join(f"{name}={value}" for name, value in options.items())
        self._owner = os.getpid()
        self._readers = _Lane(self._connect, READERS_MAX)
        self._writers = _Lane(self._connect, WRITERS_MAX)
        self._running: set[str] = set()
        self._numbers = itertools.count(1)
        self._is_closing = False
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        _refuse_if_busy(path)
        # It stays: with the last connection the engine would go.
        self._anchor = self._connect()
        self._anchor_lock = threading.Lock()

    def query(
        self, sql: str, params: Mapping[str, object], settings: Mapping[str, str], mark: str
    ) -> pa.Table:
        """The answer as Arrow. `mark` is what `kill` finds it by."""
        with self._taken(self._readers) as connection, self._marked(mark):
            connection.set(settings)
            body = connection.run(f"/* {mark} */ {sql}", "ArrowStream", encoded(params))
        return arrow.answer(body)

    def command(self, sql: str, params: Mapping[str, object]) -> None:
        """Run a statement that answers nothing."""
        mark = f"statement-{next(self._numbers)}"
        with self._taken(self._writers) as connection, self._marked(mark):
            connection.run(f"/* {mark} */ {sql}", "Null", encoded(params))

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        format_: str,
        body: bytes,
        settings: Mapping[str, str],
    ) -> None:
        """Insert rows that are in a format the engine reads."""
        names = f" ({', '.join(f'`{name}`' for name in columns)})" if columns else ""
        given = ", ".join(f"{name} = {quoted(value)}" for name, value in settings.items())
        sql = f"INSERT INTO {table}{names}" + (f" SETTINGS {given}" if given else "")
        with self._taken(self._writers) as connection:
            connection.send(sql, format_, body)

    def kill(self, mark: str) -> None:
        """End a running query; no wait for a free connection."""
        with self._anchor_lock:
            self._anchor.run(
                "KILL QUERY WHERE query LIKE {like:String} ASYNC",
                "Null",
                {"like": f"/* {mark} */%"},
            )

    def rest(self) -> None:
        """Give freed memory back to the system: the engine's allocator keeps it else."""
        self.command("SYSTEM JEMALLOC PURGE", {})
        residency.release()

    def close(self) -> None:
        """End what runs and give the directory back.

        Raises:
            StoreDown: something did not end; the engine is left as it is.
        """
        self._is_closing = True
        deadline = time.monotonic() + CLOSE_SECONDS
        while self._readers.taken or self._writers.taken:
            if time.monotonic() > deadline:
                raise StoreDown(why="stopping, and a query does not end")
            for mark in list(self._running):
                self.kill(mark)
            time.sleep(CLOSE_STEP_SECONDS)
        self._readers.close()
        self._writers.close()
        self._anchor.close()

    @contextmanager
    def _marked(self, mark: str) -> Iterator[None]:
        self._running.add(mark)
        try:
            yield
        finally:
            self._running.discard(mark)

    @contextmanager
    def _taken(self, lane: "_Lane") -> "Iterator[_Connection]":
        if os.getpid() != self._owner:
            raise StoreDown(why="open in the process that started this one")
        self._refuse_if_closing()
        with lane.taking() as connection:
            self._refuse_if_closing()
            yield connection

    def _refuse_if_closing(self) -> None:
        if self._is_closing:
            raise StoreDown(why="stopping")

    def _connect(self) -> "_Connection":
        from chdb.state import connect  # noqa: PLC0415 -- takes a moment and 200 MB

        try:
            return _Connection(connect(self._address))
        except Exception as error:  # whatever the engine throws
            raise StoreDown(why=f"not open: {error}") from error


class _Lane:
    """So many connections, so that reading does not keep writing waiting."""

    def __init__(self, connect: Any, most: int) -> None:
        self._connect = connect
        self._idle: list[_Connection] = []
        self._free = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self.taken = 0

    @contextmanager
    def taking(self) -> "Iterator[_Connection]":
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise StoreDown(why="busy with other queries")
        with self._lock:
            self.taken += 1
            idle = self._idle.pop() if self._idle else None
        connection = None
        try:
            connection = idle or self._connect()
            yield connection
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        else:
            with self._lock:
                self._idle.append(connection)
        finally:
            with self._lock:
                self.taken -= 1
            self._free.release()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


class _Connection:
    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._settings: dict[str, str] = {}
        self.set(SESSION)

    def set(self, settings: Mapping[str, str]) -> None:
        new = {k: v for k, v in settings.items() if self._settings.get(k) != v}
        if new:
            self.run("SET " + ", ".join(f"{k} = {v}" for k, v in new.items()), "Null", {})
            self._settings |= new

    def run(self, sql: str, format_: str, params: Mapping[str, str]) -> bytes:
        try:
            return bytes(self._raw.query(sql, format_, params=dict(params)).bytes() or b"")
        except Exception as error:  # the engine's only type
            raise failure(str(error)) from error

    def send(self, sql: str, format_: str, body: bytes) -> None:
        try:
            with self._raw.send_insert(sql, format_) as inserting:
                inserting.append(body)
                inserting.finish()
        except Exception as error:  # the engine's only type
            raise refusal(str(error)) from error

    def close(self) -> None:
        self._raw.close()


def _refuse_if_busy(path: Path) -> None:
    """The engine locks its status file, and says no more than that it could not begin."""
    try:
        with (path / "status").open() as status:
            text = status.read()
            fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return
    except BlockingIOError as error:
        found = re.search(r"PID: (\d+)", text)
        raise StoreBusy(path=path, pid=f"pid {found[1]}" if found else "pid unknown") from error
