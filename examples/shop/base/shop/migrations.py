"""Numbered SQL migrations, up and down, each in one transaction.

`python -m shop.migrations up | down N | status` runs them by hand. Code must work on every schema
newer than its own: a migration only adds, until no running version needs what it removes.
"""

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from shop.database import Database
from shop.seed import seed
from shop.settings import Settings

FOLDER = Path(__file__).resolve().parent.parent / "migrations"
LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    down TEXT NOT NULL
)
"""


SEEDED = 1  # the schema the seeds were written for; later migrations carry them along


def files() -> dict[int, Path]:
    """The `up` scripts by number, in order."""
    return {int(path.name[:4]): path for path in sorted(FOLDER.glob("[0-9]*.up.sql"))}


def needed() -> int:
    """The number of the newest migration this version of the code knows."""
    return max(files())


def applied(connection: sqlite3.Connection) -> int:
    """The number of the newest migration in the database; 0 when it is new."""
    try:
        row = connection.execute("SELECT max(number) FROM migrations").fetchone()
    except sqlite3.OperationalError:
        return 0
    return row[0] or 0


def up(database: Database) -> list[str]:
    """Apply what is missing; the names of what was applied."""
    done = []
    with database.alone(), database.writing() as connection:
        connection.execute(LEDGER)
        present = {row[0] for row in connection.execute("SELECT number FROM migrations")}
        for number, path in files().items():
            if number not in present:
                run(connection, path.read_text())
                undo = path.with_name(path.name.replace(".up.", ".down.")).read_text()
                name = path.name.removesuffix(".up.sql")
                row = (number, name, undo)
                connection.execute("INSERT INTO migrations VALUES (?, ?, ?)", row)
                if number == SEEDED:
                    seed(connection)
                done.append(name)
    return done


def down(database: Database, target: int) -> list[str]:
    """Undo everything above `target`; the names of what was undone.

    The way back is kept in the database, so that an older version can also undo a newer one.
    """
    done = []
    newest_first = "SELECT number, name, down FROM migrations WHERE number > ? ORDER BY number DESC"
    with database.alone(), database.writing() as connection:
        for number, name, undo in connection.execute(newest_first, (target,)).fetchall():
            run(connection, undo)
            connection.execute("DELETE FROM migrations WHERE number = ?", (number,))
            done.append(name)
    return done


def run(connection: sqlite3.Connection, script: str) -> None:
    """Run a script inside the transaction that is open (`executescript` would commit it)."""
    for statement in statements(script):
        connection.execute(statement)


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def main(arguments: list[str]) -> int:
    """Migrate by hand, for a rehearsal or a rollback."""
    database = Database(Settings.read().data)
    match arguments:
        case ["up"]:
            print("\n".join(up(database)) or "nothing to do")
        case ["down", number] if number.isdecimal():
            print("\n".join(down(database, int(number))) or "nothing to do")
        case ["status"]:
            print(f"database {applied(database.connect())}, code {needed()}")
        case _:
            print("usage: python -m shop.migrations up | down N | status", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
