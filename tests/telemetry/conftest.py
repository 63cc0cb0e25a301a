"""One engine for all tests of a process; every test finds its tables empty."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from steerway.platform.settings import load
from steerway.telemetry import store as stores
from steerway.telemetry.store import Store
from steerway.telemetry.store.tables import TABLES


@pytest.fixture(scope="session")
def engine() -> Iterator[Store]:
    """The engine. It can be opened once a process, so nobody else opens one."""
    home = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    yield stores.open(load({"STEERWAY_HOME": str(home)}))
    stores.close()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def store(engine: Store) -> Store:
    """An empty store, which is also `store.current()`."""
    for table in TABLES:
        engine.execute(f"TRUNCATE TABLE {table.name}")
    return engine
