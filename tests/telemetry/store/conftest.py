"""The two engines, behind one interface."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from steerway.telemetry.store import Store
from steerway.telemetry.store.remote import Remote
from tests.telemetry.store.http_interface import served


@pytest.fixture(scope="session")
def distant(engine: Store, telemetry_home: Path) -> Iterator[Store]:
    """The same tables over HTTP."""
    basic = "Basic " + base64.b64encode(b"steer:way").decode()
    with served(telemetry_home, basic) as port:
        distant = Store(Remote(f"http://steer:way@127.0.0.1:{port}/default", ""))
        yield distant
        distant.close()


@pytest.fixture(params=["embedded", "remote"])
def either(request: pytest.FixtureRequest, store: Store) -> Store:
    """An empty store: the engine in this process, and the same over HTTP."""
    return store if request.param == "embedded" else request.getfixturevalue("distant")
