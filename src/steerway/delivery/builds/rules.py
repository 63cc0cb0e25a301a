"""States of a build, what makes two builds the same, and what kind of files they are of."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.repositories.rules import Commit

BUILDER: Final = 1  # raise it when the same input would now give other files
# A runner that was not seen for this long is dead, and another takes the build over.
LEASE: Final = timedelta(seconds=30)
LOST_AFTER: Final = timedelta(minutes=15)  # nobody comes back for it any more
LINES_SHOWN: Final = 20  # of the log, in the sentence of a failed build
EVENTS: Final[Mapping[str, str]] = {
    "build.started": "A build began; of which commit, and by which server.",
    "build.succeeded": "A build gave a release; which one, and its digest.",
    "build.failed": "A build gave no release; why not.",
    "build.cancelled": "A build was stopped because nobody needs it any more.",
}


class State(StrEnum):
    """Where a build is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # it succeeded, and its release was removed since


NEXT: Final = {
    State.QUEUED: {State.RUNNING, State.CANCELLED},
    State.RUNNING: {State.SUCCEEDED, State.FAILED, State.CANCELLED},
    State.SUCCEEDED: {State.EXPIRED},
    State.FAILED: set[State](),
    State.CANCELLED: set[State](),
    State.EXPIRED: set[State](),
}
# While a build of an input is in one of these, nobody begins another.
CURRENT: Final = (State.QUEUED, State.RUNNING, State.SUCCEEDED)


class Kind(StrEnum):
    """What a build does by default."""

    PYTHON = "python"
    NODE = "node"
    COMMAND = "command"
    FILES = "files"  # nothing: the files are taken as they are


@dataclass(frozen=True, slots=True)
class Order:
    """One wish for a release. `runner` is who asks: the id of a deployment."""

    service: str
    commit: Commit
    section: BuildSection
    runner: UUID


@dataclass(frozen=True, slots=True)
class Machine:
    """What of a machine the built files depend on."""

    platform: str  # as linux-x86_64
    python: str  # as 3.11


def input_digest(tree: str, section: BuildSection, machine: Machine) -> str:
    """SHA-256 of everything the result depends on: equal inputs are built once.

    Limits and times are left out: they decide whether there is a result, not which.
    """
    parts = {
        "builder": BUILDER,
        "command": section.command,
        "environment": section.environment,
        "kind": section.kind,
        "platform": machine.platform,
        "python": machine.python,
        "tree": tree,
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def kind(section: BuildSection, names: Collection[str]) -> Kind:
    """What to do with files of these names at the top of the service's directory."""
    if section.kind != "auto":
        return Kind(section.kind)
    if section.command is not None:
        return Kind.COMMAND
    if {"pyproject.toml", "requirements.txt", "uv.lock", "pylock.toml"} & set(names):
        return Kind.PYTHON
    if "package.json" in names:
        return Kind.NODE
    return Kind.PYTHON if any(name.endswith(".py") for name in names) else Kind.FILES
