"""The shop's SQLite file, shared by every replica on the machine."""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shop.telemetry import calling

BUSY_SECONDS = 5.0  # another replica may be writing; its transactions take milliseconds


class Traced(sqlite3.Connection):
    """A connection whose statements are seen in the trace of their request."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run one statement."""
        operation = sql.split(None, 1)[0]
        named: dict[str, str | int] = {"db.system.name": "sqlite", "db.operation.name": operation}
        with calling(f"{operation} shop.db", named):
            return super().execute(sql, parameters)


class Database:
    """One connection per thread to `shop.db` in the data directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._local = threading.local()
        self.noted: Callable[[float], None] = lambda _: None  # told how long each write took

    def connect(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            path = self._directory / "shop.db"
            connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, factory=Traced
            )
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._local.connection = connection
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start."""
        connection, began = self.connect(), time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        self.noted(time.perf_counter() - began)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other replicas from preparing the file at the same time."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._directory / "prepare.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed, also by a crash
            yield
