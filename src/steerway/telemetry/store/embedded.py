"""ClickHouse inside this process (chDB): nothing to install, one owner of the directory."""

import itertools
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from steerway.telemetry.store.errors import StoreBusy, StoreDown
from steerway.telemetry.store.failures import failure

CONNECTIONS_MAX: Final = 8
WAIT_SECONDS: Final = 30.0
LOCKED: Final = "Cannot lock file"


class Embedded:
    """A pool of connections to the one engine of this process."""

    cluster = ""

    def __init__(self, path: Path, memory_bytes: int) -> None:
        self._path = path
        self._address = f"{path}?max_server_memory_usage={memory_bytes}"
        self._idle: list[_Connection] = []
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._lock = threading.Lock()
        self._marks = itertools.count(1)
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._idle.append(self._connect())

    def query(
        self, sql: str, params: Mapping[str, str], settings: Mapping[str, str], mark: str
    ) -> pa.Table:
        """The answer as Arrow. `mark` is what `kill` finds it by."""
        with self._connection() as connection:
            connection.set(settings)
            answer = connection.run(f"/* {mark} */ {sql}", "Arrow", params)
        return pa.ipc.open_file(answer).read_all() if answer else pa.table({})

    def command(self, sql: str, params: Mapping[str, str]) -> None:
        """Run a statement that answers nothing."""
        with self._connection() as connection:
            connection.run(sql, "Null", params)

    def insert(self, sql: str, format_: str, body: bytes) -> None:
        """Run an INSERT with its rows, in the format they are in."""
        with self._connection() as connection:
            connection.send(sql, format_, body)

    def kill(self, mark: str) -> None:
        """End a running query."""
        like = f"/* {mark} */%"
        with self._connection() as connection:
            connection.run(
                "KILL QUERY WHERE query LIKE {like:String} ASYNC", "Null", {"like": like}
            )

    def close(self) -> None:
        """Give the directory back."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _connection(self) -> "Iterator[_Connection]":
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise StoreDown(why="busy with other queries")
        try:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            connection = connection or self._connect()
            yield connection
            with self._lock:
                self._idle.append(connection)
        except BaseException:
            # What a failed query left behind would be the head of the next answer.
            if connection is not None:
                connection.close()
            raise
        finally:
            self._free.release()

    def _connect(self) -> "_Connection":
        from chdb.state import connect  # noqa: PLC0415 -- takes a moment and 200 MB

        try:
            return _Connection(connect(self._address))
        except Exception as error:  # whatever the engine throws
            if LOCKED in str(error):
                raise StoreBusy(path=self._path, pid=_pid(self._path)) from error
            raise


class _Connection:
    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._settings: dict[str, str] = {}
        self.set({"session_timezone": "'UTC'", "enable_time_series_aggregate_functions": "1"})

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
            raise failure(str(error)) from error

    def close(self) -> None:
        self._raw.close()


def _pid(path: Path) -> str:
    status = path / "status"
    found = re.search(r"PID: (\d+)", status.read_text()) if status.exists() else None
    return f"pid {found[1]}" if found else "unknown"
