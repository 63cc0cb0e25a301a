"""Installations for journeys: the shop's repository once, an installation once a module."""

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.journeys import killing
from tests.journeys.installation import CHECKOUT, Installation

Founder = Callable[..., Installation]
Record = Callable[[str, object], None]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures that journeys have recorded."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def kit() -> Iterator[Path]:
    """The shop's git repository with a tag per version."""
    place = CHECKOUT / "examples" / "shop" / "repository.py"
    spec = importlib.util.spec_from_file_location("shop_repository", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory(prefix="shop") as directory:
        module.build(Path(directory) / "shop")
        yield Path(directory) / "shop"


@pytest.fixture(scope="module")
def found(kit: Path) -> Iterator[Founder]:
    """Founds installations that are closed after the module, each with what it left asserted."""
    with ExitStack() as stack:

        def founded(**options: str) -> Installation:
            installation = Installation(kit, extra=options)
            stack.callback(installation.close)
            return installation

        yield founded


@pytest.fixture(scope="module")
def steerway(found: Founder) -> Installation:
    """A running Steerway that knows the shop."""
    installation = found()
    installation.start()
    return installation


@pytest.fixture(scope="module")
def serving(steerway: Installation) -> Installation:
    """A running Steerway whose shop serves v1."""
    steerway.deploy("v1")
    return steerway


@pytest.fixture(scope="module")
def crashing(serving: Installation) -> Installation:
    """A Steerway whose shop serves v1 and whose server crashes as it is told."""
    killing.plant(serving)
    return serving
