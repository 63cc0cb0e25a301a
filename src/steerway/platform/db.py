"""The database of records: where it is, how it is spoken to, and how rows are named."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote, urlsplit
from uuid import UUID

import uuid_utils.compat
from django.db import OperationalError, close_old_connections, connection, transaction

T = TypeVar("T")

# Two servers wait at most this long for each other's write before "database is locked".
BUSY_SECONDS = 20
# What must not fail for a lock that somebody held too long waits so often.
TRIES = 3
# Rows of each index that SQLite looks at: more than most services have events, fewer than
# most actors have, so that it can tell the two apart; takes a fraction of a second.
ANALYSIS_ROWS = 10_000
# A connection to SQLite is opened anew once an hour, to read the statistics of now.
CONNECTION_SECONDS = 3600
# The number of the lock in PostgreSQL that servers take turns by; any that nobody else uses.
TURN = 7300


def new_id() -> UUID:
    """A new UUIDv7: unique, and sorted by the time it was made."""
    return uuid_utils.compat.uuid7()


def django_database(url: str, file: Path) -> dict[str, Any]:
    """Django's DATABASES entry for PostgreSQL at `url`, or SQLite in `file` when it is empty."""
    return _postgresql(url) if url else _sqlite(file)


def _sqlite(file: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {
            # Writers queue at BEGIN instead of failing when they upgrade from a read.
            "transaction_mode": "IMMEDIATE",
            "timeout": BUSY_SECONDS,
            # FULL: what was answered survives a power cut, so records never run behind workflows.
            # Checkpoints are rare and large, because each one waits for the disk twice.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                "PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=4000;"
            ),
        },
        "CONN_MAX_AGE": CONNECTION_SECONDS,
        # A file, because threads do not share a database in memory.
        "TEST": {"NAME": str(file.with_name("test.db"))},
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    options = _options(parts.query)
    directory = options.pop("host", "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or "") or directory,
        "PORT": parts.port or "",
        "OPTIONS": options,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _options(query: str) -> dict[str, str]:
    """What follows the `?`: a socket directory as `host`, `sslmode`, and whatever libpq knows."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return {key: unquote(value) for key, _, value in pairs}


@contextmanager
def reading() -> Iterator[None]:
    """Reads outside a request, without a transaction, so that no writer waits for them."""
    _let_go_of_dead_connections()
    yield


class Remembered(Generic[T]):
    """What a question to the records answered, asked again once anything was committed.

    For what is asked every second and changes every hour. The answer depends on the records alone,
    not on the clock, and whoever gets it leaves it as it is.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask: Final = ask
        self._mark: tuple[Any, ...] | None = None
        self._answer: T

    def __call__(self) -> T:
        """The answer of now."""
        with reading():
            mark = _mark()  # first: what is committed while the question runs is asked for again
            if mark is None or mark != self._mark:
                self._answer = self._ask()
                self._mark = mark
        return self._answer


def _mark() -> tuple[Any, ...] | None:
    """What stays the same while nothing is committed; None where that cannot be told.

    SQLite counts for each connection what others commit and, apart from it, what it changes.
    """
    if is_postgresql() or connection.in_atomic_block:
        return None
    with connection.cursor() as cursor:
        (version,) = cursor.execute("PRAGMA data_version").fetchone()
    raw = connection.connection
    return raw, version, raw.total_changes


@contextmanager
def unit_of_work() -> Iterator[None]:
    """One transaction outside a request: commits at the end, and lets go of a dead connection."""
    _let_go_of_dead_connections()
    with transaction.atomic():
        yield


def patiently(task: Callable[[], T]) -> T:
    """What `task` gives, done again when the database was locked or away; it may be done twice."""
    for _ in range(TRIES - 1):
        with suppress(OperationalError):
            return task()
    return task()


def _let_go_of_dead_connections() -> None:
    """What a request does at its start; inside a transaction the connection is alive."""
    if not connection.in_atomic_block:
        close_old_connections()


def tend() -> None:
    """Let SQLite look at what its tables hold, so that it picks the right index.

    Without it, a log of a million entries is searched by the first index that fits.
    Connections read what was found when they open. PostgreSQL does all this by itself.
    """
    if is_postgresql():
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit={ANALYSIS_ROWS}")
        cursor.execute("ANALYZE")


@contextmanager
def one_server_at_a_time() -> Iterator[None]:
    """Servers that share a database pass here one after the other. SQLite has only one."""
    if not is_postgresql():
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [TURN])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [TURN])


def is_postgresql() -> bool:
    """Whether records live in PostgreSQL."""
    return connection.vendor == "postgresql"
