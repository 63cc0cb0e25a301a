"""A PostgreSQL database, in the names of postgres_exporter, over one short connection."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
from psycopg.rows import tuple_row

from steerway.telemetry.databases.rules import Sightings, fingerprint
from steerway.telemetry.scraping.rules.batch import Point

CONNECT_SECONDS: Final = 3
STATEMENT_SECONDS: Final = 3
STATEMENTS_MAX: Final = 25
RUNNING_MAX: Final = 100

DATABASE: Final = """
SELECT numbackends, xact_commit, xact_rollback, blks_read, blks_hit, tup_returned, tup_fetched,
       tup_inserted, tup_updated, tup_deleted, conflicts, deadlocks, temp_bytes
FROM pg_stat_database WHERE datname = current_database()
"""
COUNTED: Final = (
    "numbackends", "xact_commit", "xact_rollback", "blks_read", "blks_hit", "tup_returned",
    "tup_fetched", "tup_inserted", "tup_updated", "tup_deleted", "conflicts", "deadlocks",
    "temp_bytes",
)  # fmt: skip
SIZE: Final = "SELECT pg_database_size(current_database())"
LOCKS: Final = """
SELECT mode, count(*), count(*) FILTER (WHERE NOT granted)
FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
GROUP BY mode
"""
ACTIVITY: Final = """
SELECT coalesce(state, 'unknown'), count(*),
       coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1
"""
SETTINGS: Final = "SELECT setting::float FROM pg_settings WHERE name = 'max_connections'"
REPLICA: Final = """
SELECT pg_is_in_recovery()::int, CASE
  WHEN NOT pg_is_in_recovery() THEN 0
  WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
  ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())) END
"""
FOLLOWERS: Final = """
SELECT application_name, coalesce(extract(epoch FROM replay_lag), 0) FROM pg_stat_replication
ORDER BY 2 DESC LIMIT 50
"""
HAS_STATEMENTS: Final = "SELECT to_regclass('pg_stat_statements') IS NOT NULL"
STATEMENTS: Final = f"""
SELECT query, calls, total_exec_time / 1000, rows FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY total_exec_time DESC LIMIT {STATEMENTS_MAX}
"""  # noqa: S608 -- a number of ours
RUNNING: Final = f"""
SELECT query, extract(epoch FROM clock_timestamp() - query_start)::float FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
  AND query_start IS NOT NULL
ORDER BY query_start LIMIT {RUNNING_MAX}
"""  # noqa: S608 -- the same


def points(url: str, sightings: Sightings) -> Iterator[Point]:
    """What a database says of itself. `pg_up` is 0 when it does not answer.

    `sightings` remembers statements between looks where the database itself does not.
    """
    try:
        found = _looked(url, sightings)
    except psycopg.Error:
        found = [Point("pg_up", {}, 0)]
    yield from found


def _looked(url: str, sightings: Sightings) -> list[Point]:
    options = f"-c statement_timeout={STATEMENT_SECONDS}s -c default_transaction_read_only=on"
    with psycopg.connect(
        url,
        connect_timeout=CONNECT_SECONDS,
        options=options,
        application_name="steerway-collector",
        autocommit=True,
        row_factory=tuple_row,
    ) as connection:
        return [
            Point("pg_up", {}, 1),
            *_database(connection),
            *_activity(connection),
            *_replication(connection),
            *_statements(connection, sightings),
        ]


def _database(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[Point]:
    for row in connection.execute(DATABASE):
        for name, value in zip(COUNTED, row, strict=True):
            yield Point(f"pg_stat_database_{name}", {}, float(value or 0))
    yield Point("pg_database_size_bytes", {}, _one(connection, SIZE))
    yield Point("pg_settings_max_connections", {}, _one(connection, SETTINGS))


def _activity(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[Point]:
    for mode, count, waiting in connection.execute(LOCKS):
        yield Point("pg_locks_count", {"mode": mode.lower()}, count)
        yield Point("pg_locks_waiting_count", {"mode": mode.lower()}, waiting)
    longest = 0.0
    for state, count, seconds in connection.execute(ACTIVITY):
        longest = max(longest, float(seconds))
        yield Point("pg_stat_activity_count", {"state": state}, count)
        yield Point("pg_stat_activity_max_tx_duration", {"state": state}, float(seconds))
    yield Point("pg_longest_transaction_seconds", {}, longest)


def _replication(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[Point]:
    for is_replica, lag in connection.execute(REPLICA):
        yield Point("pg_replication_is_replica", {}, is_replica)
        yield Point("pg_replication_lag_seconds", {}, float(lag or 0))
    lags: dict[str, float] = {}
    for name, seconds in connection.execute(FOLLOWERS):
        lags[name] = max(lags.get(name, 0.0), float(seconds))
    for name, lag in lags.items():
        yield Point("pg_stat_replication_lag_seconds", {"application_name": name}, lag)


def _statements(
    connection: psycopg.Connection[tuple[Any, ...]], sightings: Sightings
) -> Iterator[Point]:
    """Slow statements, from the database's own statistics or from what is seen running."""
    if _one(connection, HAS_STATEMENTS):
        try:
            rows = connection.execute(STATEMENTS).fetchall()
        except psycopg.Error:
            rows = []  # it is installed and not loaded
        if rows:
            yield Point("pg_statements_source", {"source": "pg_stat_statements"}, 1)
            yield from _counted(rows)
            return
    sightings.see((sql, float(seconds)) for sql, seconds in connection.execute(RUNNING))
    yield Point("pg_statements_source", {"source": "samples of pg_stat_activity"}, 1)
    for one, count in sightings.counts.items():
        labels = {"fingerprint": one.fingerprint, "statement": one.shown}
        yield Point("pg_statement_sightings_total", labels, count)
        yield Point("pg_statement_longest_seconds", labels, sightings.longest[one])


def _counted(rows: list[tuple[Any, ...]]) -> Iterator[Point]:
    together: dict[tuple[str, str], tuple[float, float, float]] = {}
    for sql, calls, seconds, returned in rows:
        one = fingerprint(sql)
        before = together.get(one, (0.0, 0.0, 0.0))
        together[one] = (before[0] + calls, before[1] + float(seconds), before[2] + returned)
    for (name, shown), (calls, seconds, returned) in together.items():
        labels = {"fingerprint": name, "statement": shown}
        yield Point("pg_stat_statements_calls_total", labels, calls)
        yield Point("pg_stat_statements_seconds_total", labels, seconds)
        yield Point("pg_stat_statements_rows_total", labels, returned)


def _one(connection: psycopg.Connection[tuple[Any, ...]], sql: str) -> float:
    row = connection.execute(sql).fetchone()
    return float(row[0]) if row else 0.0
