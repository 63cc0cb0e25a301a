"""The database of workflows works with every SQLite that a supported Python comes with."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from steerway.app.worker import Connection


def test_a_moment_has_milliseconds_on_every_sqlite(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "workflows.db", factory=Connection)) as connection:
        connection.execute("CREATE TABLE one (id INTEGER, at REAL DEFAULT (unixepoch('subsec')))")
        connection.execute("INSERT INTO one (id) VALUES (1)")

        ours, seconds = connection.execute(
            "SELECT at, CAST(strftime('%s', 'now') AS INTEGER) FROM one"
        ).fetchone()

    assert ours == pytest.approx(seconds, abs=2)
