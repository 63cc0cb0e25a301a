"""The cast and the stage of every test: a home of its own, a clock that stands still."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import django
import pytest

# Before Django reads its settings: every test process has a home of its own. Short, because
# the paths of unix sockets may have 107 characters.
HOME = Path(tempfile.mkdtemp(prefix="sw"))
# The settings of the person who runs the tests are not those of the tests.
for name in [name for name in os.environ if name.startswith("STEERWAY_")]:
    del os.environ[name]
os.environ["STEERWAY_HOME"] = str(HOME)
if url := os.environ.get("TEST_DATABASE_URL"):
    os.environ["STEERWAY_DATABASE_URL"] = url

# Here and not in pyproject: there it would be read before the lines above.
os.environ["DJANGO_SETTINGS_MODULE"] = "steerway.app.django_settings"
django.setup()

from django.conf import settings  # noqa: E402

from steerway.platform.roles import Role  # noqa: E402
from steerway.platform.work import Work  # noqa: E402
from tests.browsing import launched  # noqa: E402
from tests.cast import NOON, Started, actor  # noqa: E402
from tests.stores import distant, either, engine, store, telemetry_home  # noqa: E402

# One engine a process, so one definition of it for all tests.
__all__ = ["distant", "either", "engine", "store", "telemetry_home"]

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_unconfigure() -> None:
    """Every test process removes its home, the one that only hands out tests as well."""
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the database is also run on PostgreSQL, whether it says so or not."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & {"db", "transactional_db"} or item.get_closest_marker("django_db"):
            item.add_marker("database")


# The cast works at no server in particular; so do requests, or they would not share services.
settings.STEERWAY_NODE = ""


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """The one real browser of this process, gone before the tests of another module.

    As long as it is there, its event loop keeps Django from opening a database.
    """
    yield from launched()


@pytest.fixture
def started() -> Started:
    """What `work` has started."""
    return Started()


@pytest.fixture
def work(db: None, started: Started) -> Work:
    """Alice, an admin, at noon."""
    return Work(actor=actor("alice", Role.ADMIN), now=NOON, starter=started)


@pytest.fixture
def guest(db: None, started: Started) -> Work:
    """Guest, a viewer, at noon."""
    return Work(actor=actor("guest", Role.VIEWER), now=NOON, starter=started)
