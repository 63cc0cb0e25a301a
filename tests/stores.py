"""One engine for all tests of a process; every test finds its tables empty."""

import base64
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from steerway.platform.settings import load
from steerway.telemetry import store as stores
from steerway.telemetry.store import Store
from steerway.telemetry.store.remote import Remote
from steerway.telemetry.store.tables import TABLES


@pytest.fixture(scope="session")
def telemetry_home() -> Iterator[Path]:
    """Where the engine of this process keeps its files."""
    home = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    yield home / "telemetry"
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def engine(telemetry_home: Path) -> Iterator[Store]:
    """The engine. It can be opened once a process, so nobody else opens one."""
    yield stores.open(load({"STEERWAY_HOME": str(telemetry_home.parent)}))
    stores.close()


@pytest.fixture
def store(engine: Store) -> Store:
    """An empty store, which is also `store.current()`."""
    for table in TABLES:
        engine.execute(f"TRUNCATE TABLE {table.name}")
    return engine


@pytest.fixture(scope="session")
def distant(engine: Store, telemetry_home: Path) -> Iterator[Store]:
    """The same tables over HTTP."""
    from tests.telemetry.store.http_interface import served  # noqa: PLC0415 -- loads the engine

    basic = "Basic " + base64.b64encode(b"steer:way").decode()
    with served(telemetry_home, basic) as port:
        distant = Store(Remote(f"http://steer:way@127.0.0.1:{port}/default", ""))
        yield distant
        distant.close()


@pytest.fixture(params=["embedded", "remote"])
def either(request: pytest.FixtureRequest, store: Store) -> Store:
    """An empty store: the engine in this process, and the same over HTTP."""
    return store if request.param == "embedded" else request.getfixturevalue("distant")
