"""What a program is, what is known about it while it runs, and how a replica becomes one."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from steerway.delivery.runtimes.descriptor import LimitsSection, RunSection
from steerway.delivery.runtimes.errors import CommandInvalid

NAME_LENGTH_MAX: Final = 120  # a file name has room for 255; endings and drafts are added
PROGRAM_NAME: Final = re.compile(rf"[a-z][a-z0-9.-]{{0,{NAME_LENGTH_MAX - 1}}}")
_SHORT_ID: Final = 8  # characters of the random end of an id; the front of a UUIDv7 is the clock
_VARIABLE: Final = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)


class ProcessState(StrEnum):
    """Where a program is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    FATAL = "fatal"
    STOPPING = "stopping"
    STOPPED = "stopped"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most a program may use; None is no limit. Units: `memory` in bytes."""

    memory: int | None = None
    cpus: float | None = None
    processes: int | None = None


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A value that only the installation's key opens, and only under its name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Something to keep running.

    `creates` are directories it needs, with their permissions; in `search` commands are looked
    for before the host's PATH.
    """

    name: str
    command: tuple[str, ...]
    directory: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    search: tuple[Path, ...] = ()
    secrets: Mapping[str, SealedSecret] = field(default_factory=dict)
    creates: Mapping[Path, int] = field(default_factory=dict)
    limits: Limits = Limits()
    stop_signal: str = "TERM"
    grace: timedelta = timedelta(seconds=10)
    port: int | None = None

    def __post_init__(self) -> None:
        """A name is also a file name and a word of supervisord's configuration."""
        assert PROGRAM_NAME.fullmatch(self.name), self.name
        assert self.command


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A program as it is now.

    `exits` counts its ends since it was told to start, `crashes` the short lives in a row.
    `adopted`: it was started by an earlier supervisord. `enforced` tells how each limit holds:
    "cgroup v1", "cgroup v2", "rlimit" (weaker: each process for itself) or "none".
    """

    name: str
    state: ProcessState
    pid: int | None = None
    started_at: datetime | None = None
    exits: int = 0
    crashes: int = 0
    last_exit: str = ""
    problem: str = ""
    resumes_at: datetime | None = None
    adopted: bool = False
    enforced: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_up(self) -> bool:
        """Whether the program itself runs now."""
        return self.state is ProcessState.RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One replica's place: whose it is, where its files are, and its port."""

    service: str
    environment: str
    deployment: UUID
    index: int
    port: int | None
    release: str
    directory: Path
    state: Path
    log: Path

    @property
    def program(self) -> str:
        """The name of its program."""
        return program_name(self.service, self.environment, self.deployment, self.index)


def program_name(service: str, environment: str, deployment: UUID, index: int) -> str:
    """The name of a replica's program: `shop.production.9c41d2aa.0`."""
    return f"{service}.{environment}.{deployment.hex[-_SHORT_ID:]}.{index}"


def directories(section: RunSection, state: Path) -> dict[str, Path]:
    """The lasting directories of a service, by the variable that holds their path."""
    return {
        f"STEERWAY_{name.upper().replace('-', '_')}_DIR": state / name
        for name in section.directories
    }


def missing(section: RunSection) -> list[str]:
    """Variables that the environment must set and has not."""
    return sorted(name for name, value in section.environment.items() if value is None)


def variables(section: RunSection, placement: Placement) -> dict[str, str]:
    """What a replica finds in its environment, secrets apart."""
    own = {
        "STEERWAY_SERVICE": placement.service,
        "STEERWAY_ENVIRONMENT": placement.environment,
        "STEERWAY_RELEASE": placement.release,
        "STEERWAY_REPLICA": str(placement.index),
    }
    if placement.port is not None:
        own["PORT"] = str(placement.port)
    paths = {k: str(v) for k, v in directories(section, placement.state).items()}
    given = {k: str(v) for k, v in section.environment.items() if v is not None}
    return given | paths | own


def program(
    section: RunSection,
    placement: Placement,
    *,
    secrets: Mapping[str, SealedSecret],
    search: tuple[Path, ...] = (),
) -> Program:
    """The program of a replica; `secrets` by variable, sealed.

    Raises:
        CommandInvalid: the command names a variable that is not set, or a secret.
    """
    environment = variables(section, placement)
    return Program(
        name=placement.program,
        command=substitute(section.command, environment, frozenset(section.secrets)),
        directory=placement.directory,
        environment=environment,
        search=search,
        secrets=dict(secrets),
        creates={placement.state / name: mode for name, mode in section.directories.items()},
        log=placement.log,
        limits=limits(section.limits),
        stop_signal=section.stop.signal,
        grace=section.stop.grace,
        port=placement.port,
    )


def limits(section: LimitsSection) -> Limits:
    """The limits of a descriptor."""
    return Limits(memory=section.memory, cpus=section.cpus, processes=section.processes)


def substitute(
    command: str, values: Mapping[str, str], secrets: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """The words of `command` with $NAME and ${NAME} replaced; $$ is a dollar sign.

    A value stays one word whatever is in it. The script of `sh -c` is left to the shell.

    Raises:
        CommandInvalid: a variable is not set, or is a secret, which a process list would show.
    """
    words = shlex.split(command)
    if words[:2] == ["sh", "-c"]:
        return tuple(words)

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        name = match[2] or match[3]
        if name in secrets:
            raise CommandInvalid(
                command=command,
                reason=f"{name} is a secret, which every user of the host would see; "
                "let the program read the variable",
            )
        if name not in values:
            raise CommandInvalid(
                command=command,
                reason=f"{name} is not set; add it to run.environment, or write $${name}",
            )
        return values[name]

    return tuple(_VARIABLE.sub(value, word) for word in words)
