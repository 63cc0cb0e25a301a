"""Builders of real files by real programs, and what is left of them."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from steerway.delivery.builds.adapters.builder import Builder, Job
from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.releases.adapters.store import Store
from steerway.delivery.releases.rules import Manifest
from steerway.platform.db import new_id
from steerway.platform.errors import SteerwayError

HOST = {"PATH": ":".join(os.get_exec_path()), "SECRET_OF_THE_HOST": "swordfish"}


TOOLS = {"pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n', "shop.py": "BEANS = 3\n"}


def export(files: dict[str, str]) -> Callable[[Path], None]:
    def export(into: Path) -> None:
        for name, text in files.items():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).write_text(text)

    return export


def commanded(command: str, **fields: object) -> Job:
    section = BuildSection.model_validate({"command": command, **fields})
    return Job(new_id(), section, export({"a.txt": "a"}))


def files_of(builder: Builder, job: Job) -> dict[str, str]:
    """The files of a build, as they were before it was left."""
    with builder.build(job) as built:
        places = [p for p in sorted(built.tree.rglob("*")) if p.is_file()]
        return {p.relative_to(built.tree).as_posix(): p.read_text() for p in places}


def refusal(builder: Builder, job: Job, error: type[SteerwayError]) -> str:
    """What a build that cannot succeed says, when it has left nothing behind."""
    with pytest.raises(error) as caught, builder.build(job):
        pass
    assert is_empty(builder)
    return str(caught.value)


def manifest_of(home: Path, section: BuildSection, files: dict[str, str]) -> Manifest:
    with Builder(home, HOST).build(Job(new_id(), section, export(files))) as built:
        return Store(home).put(built.tree, kind=built.kind, python=built.python).manifest


def paths_of(builder: Builder, job: Job) -> list[str]:
    with builder.build(job) as built:
        return [p.relative_to(built.tree).as_posix() for p in built.tree.rglob("*")]


def is_empty(builder: Builder) -> bool:
    places = [p.name for p in (builder.home / "builds").iterdir() if p.name != "cache"]
    return places == []


def processes(mark: str) -> int:
    """How many processes of this machine were born with `mark`."""
    found = subprocess.run(
        ["grep", "-lsz", f"^{mark}$", *map(str, Path("/proc").glob("[0-9]*/environ"))],
        capture_output=True,
        check=False,
    )
    return len(found.stdout.splitlines())
