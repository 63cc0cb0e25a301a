"""The shop of the examples, built as it is deployed."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from steerway.delivery.builds import errors
from steerway.delivery.builds.adapters.builder import Builder, Job
from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.releases.adapters.store import Store
from steerway.delivery.releases.rules import Manifest
from steerway.delivery.repositories.adapters.git import Git
from steerway.platform.db import new_id
from tests.delivery.sources import ENVIRONMENT

KIT = Path(__file__).parents[3] / "examples" / "shop" / "repository.py"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The shop's repository."""
    made = tmp_path / "shop"
    arguments = [sys.executable, str(KIT), "build", str(made)]
    subprocess.run(arguments, check=True, capture_output=True)
    return made


def _manifest(home: Path, shop: Path, ref: str) -> Manifest:
    git, builder, store = Git(home, ENVIRONMENT), Builder(home, ENVIRONMENT), Store(home)
    commit = git.resolve(str(shop), ref)
    descriptor = yaml.safe_load((shop / "steerway.yaml").read_text())
    section = BuildSection.model_validate(descriptor["build"])
    job = Job(new_id(), section, lambda into: git.export(commit, into))
    with builder.build(job) as built:
        return store.put(built.tree, kind=built.kind, python=built.python).manifest


def test_a_version_of_the_shop_is_the_same_wherever_it_is_built(shop: Path, tmp_path: Path) -> None:
    one = _manifest(tmp_path / "one", shop, "v1")
    two = _manifest(tmp_path / "further" / "two", shop, "v1")
    other = _manifest(tmp_path / "one", shop, "v2")

    assert one.digest == two.digest
    assert other.digest != one.digest


def test_a_version_that_cannot_be_undone_is_not_built(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.StepFailed, match=r"python build\.py.* ended with exit code 1"):
        _manifest(tmp_path / "one", shop, "v2-broken-build")
