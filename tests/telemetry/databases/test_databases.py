"""Statements without their values, and a real PostgreSQL."""

import pytest

from steerway.telemetry.databases.adapters import postgresql
from steerway.telemetry.databases.rules import SHOWN_MAX, STATEMENTS_MAX, Sightings, fingerprint
from steerway.telemetry.scraping.rules.batch import Point
from tests import on_postgresql

CASES = [
    ("SELECT * FROM t WHERE a = 1", "SELECT * FROM t WHERE a = ?"),
    ("select *\n  from t -- why\n where a='it''s' ;", "select * from t where a=?"),
    ("SELECT /* x */ 1.5e3, -7, $1, %s", "SELECT ?, ?, ?, ?"),
    ("SELECT * FROM t WHERE a IN (1, 2, 3)", "SELECT * FROM t WHERE a IN (?)"),
    ("INSERT INTO t VALUES (1,'a'), (2,'b'), (3,'c')", "INSERT INTO t VALUES (?)"),
    (r"SELECT E'it\'s' FROM t2", "SELECT ? FROM t2"),
    ("DO $x$ BEGIN secret; END $x$", "DO ?"),
    ("SELECT 'a very long text that was cut o", "SELECT"),
    ("SELECT a::text FROM table1", "SELECT a::text FROM table1"),
    ("", ""),
]


@pytest.mark.parametrize(("sql", "shown"), CASES)
def test_a_statement_is_shown_without_its_values(sql: str, shown: str) -> None:
    assert fingerprint(sql).shown == shown


def test_equal_statements_have_one_fingerprint() -> None:
    one = fingerprint("SELECT * FROM t WHERE a = 1")

    assert one.fingerprint == fingerprint("select *  from t where a = 'x'").fingerprint
    assert one.fingerprint != fingerprint("SELECT * FROM u WHERE a = 1").fingerprint
    assert len(fingerprint("SELECT " + "a, " * 1000).shown) == SHOWN_MAX


def test_sightings_are_counted_and_bounded() -> None:
    seen = Sightings()
    seen.see([("SELECT 1", 0.5), ("SELECT 2", 2.0)])
    seen.see((f"SELECT c{chr(97 + n % 26)}{chr(97 + n // 26)} FROM t", 1.0) for n in range(600))

    assert seen.counts[fingerprint("SELECT 3")] == 2
    assert seen.longest[fingerprint("SELECT 3")] == 2.0
    assert len(seen.counts) == STATEMENTS_MAX


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/x", "nonsense"])
def test_a_database_that_does_not_answer_is_down(url: str) -> None:
    assert list(postgresql.points(url, Sightings())) == [Point("pg_up", {}, 0)]


def test_a_postgresql_says_how_it_is() -> None:
    with on_postgresql.server() as url:
        found = {one.metric: one for one in postgresql.points(url, Sightings())}

    assert found["pg_up"].value == 1
    assert found["pg_database_size_bytes"].value > 1_000_000
    assert found["pg_settings_max_connections"].value > 0
    assert found["pg_stat_database_xact_commit"].value >= 0
    assert found["pg_replication_is_replica"].value == 0
    assert found["pg_replication_lag_seconds"].value == 0
    assert found["pg_statements_source"].labels == {"source": "samples of pg_stat_activity"}
    assert found["pg_locks_count"].value > 0
