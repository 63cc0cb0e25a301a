"""A builder in a home of its own."""

from pathlib import Path

import pytest

from steerway.delivery.builds.adapters.builder import Builder
from tests.delivery.builds.stage import HOST


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path / "home", HOST)
