"""The shop's versions, checked out once; a stage for each test."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.stage import KIT, Stage


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's repository."""
    target = tmp_path_factory.mktemp("shop") / "repository"
    subprocess.run([sys.executable, KIT / "repository.py", "build", target], check=True)
    return target


@pytest.fixture(scope="session")
def versions(repository: Path) -> Path:
    """A folder for each version."""
    folder = repository.parent / "versions"
    tags = subprocess.check_output(["git", "-C", repository, "tag"], text=True).split()
    for tag in tags:
        copy = ["git", "-C", str(repository), "worktree", "add", "--quiet", "--detach"]
        subprocess.run([*copy, str(folder / tag), tag], check=True)
    return folder


@pytest.fixture
def stage(tmp_path: Path, versions: Path) -> Iterator[Stage]:
    """A stage that is empty again afterwards."""
    stage = Stage(tmp_path, versions)
    yield stage
    stage.clear()
