"""What a program is, what is known about it while it runs, and how a replica becomes one."""

import re
import shlex
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from steerway.delivery.runtimes.descriptor import LimitsSection, RunSection
from steerway.delivery.runtimes.errors import CommandInvalid

NAME_LENGTH_MAX: Final = 120  # a file name has room for 255; endings and drafts are added
PROGRAM_NAME: Final = re.compile(rf"[a-z][a-z0-9.-]{{0,{NAME_LENGTH_MAX - 1}}}")
# A program that was in a crash loop and has lived this long is over it.
SETTLED_AFTER: Final = timedelta(seconds=60)
LOOPS_AFTER: Final = 2  # one early end may be an accident; a second one is a loop
EVENTS: Final[Mapping[str, str]] = {
    "replicas.placed": "Replicas of a deployment were given a name and a port.",
    "replica.moved": "A replica was given another port, because a stranger had taken its own.",
    "replicas.retired": "Replicas were ended for good and their ports are free again.",
    "replica.respawned": "A replica ended by itself and was started again.",
    "replica.crash-looping": "A replica keeps ending soon after its start.",
    "replica.recovered": "A replica that kept ending has lived for a minute.",
}
_SHORT_ID: Final = 8  # characters of the random end of an id; the front of a UUIDv7 is the clock
_VARIABLE: Final = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)


class Condition(StrEnum):
    """How a replica is, in one word for people."""

    SERVING = "serving"
    UP = "up"
    STARTING = "starting"
    CRASH_LOOP = "crash-loop"
    DOWN = "down"
    STOPPING = "stopping"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class ProcessState(StrEnum):
    """Where a program is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    FATAL = "fatal"
    STOPPING = "stopping"
    STOPPED = "stopped"
    EXITED = "exited"


CONDITIONS: Final = {
    ProcessState.STARTING: Condition.STARTING,
    ProcessState.STOPPING: Condition.STOPPING,
}


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
    for before the host's PATH. When one that `spares_children` ends by itself, what it started
    goes on, and its next run finds it; only a stop ends both.
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
    spares_children: bool = False

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


@dataclass(frozen=True, slots=True)
class Ports:
    """A range to give ports from, both ends included; `avoid` are those strangers listen on."""

    first: int
    last: int
    avoid: AbstractSet[int] = frozenset()


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


def condition(
    state: ProcessState, *, is_seen: bool, wanted: bool, looping: bool, routed: bool, serves: bool
) -> Condition:
    """How a replica is. What nobody has seen is unknown, never well."""
    if not is_seen:
        return Condition.UNKNOWN if wanted else Condition.STOPPED
    if looping:
        return Condition.CRASH_LOOP
    if state is ProcessState.RUNNING:
        ready = Condition.STARTING if serves else Condition.UP
        return Condition.SERVING if routed else ready
    idle = Condition.DOWN if wanted else Condition.STOPPED
    return CONDITIONS.get(state, idle)


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


def is_looping(seen: Process, *, was: bool, now: datetime) -> bool:
    """Whether a program keeps ending soon after its start.

    It stays so between two crashes, while it runs for a moment, until it has lived long enough.
    """
    if seen.state is ProcessState.FATAL:
        return True
    has_settled = (
        seen.is_up and seen.started_at is not None and now - seen.started_at >= SETTLED_AFTER
    )
    # The crashes before it settled stay counted until it ends again.
    if has_settled:
        return False
    # crashes is zero after somebody has started it anew.
    return seen.crashes > 0 if was else seen.crashes >= LOOPS_AFTER


def stored(program: Program) -> dict[str, Any]:
    """A program as JSON, for a record; secrets stay sealed."""
    return {
        "name": program.name,
        "command": list(program.command),
        "directory": str(program.directory),
        "log": str(program.log),
        "environment": dict(program.environment),
        "search": [str(path) for path in program.search],
        "secrets": {k: [s.name, s.text] for k, s in program.secrets.items()},
        "creates": {str(path): mode for path, mode in program.creates.items()},
        "limits": [program.limits.memory, program.limits.cpus, program.limits.processes],
        "stop_signal": program.stop_signal,
        "grace_ms": program.grace // timedelta(milliseconds=1),
        "port": program.port,
    }


def restored(value: Mapping[str, Any]) -> Program:
    """The program that `stored` was given."""
    return Program(
        name=value["name"],
        command=tuple(value["command"]),
        directory=Path(value["directory"]),
        log=Path(value["log"]),
        environment=value["environment"],
        search=tuple(map(Path, value["search"])),
        secrets={k: SealedSecret(*pair) for k, pair in value["secrets"].items()},
        creates={Path(path): mode for path, mode in value["creates"].items()},
        limits=Limits(*value["limits"]),
        stop_signal=value["stop_signal"],
        grace=timedelta(milliseconds=value["grace_ms"]),
        port=value["port"],
    )


def next_port(ports: Ports, *, after: int | None, taken: AbstractSet[int | None]) -> int | None:
    """The first port of the range that is not taken, counted on from the one given last.

    A port just freed comes last, so that a late client never meets another service on it.
    """
    start = ports.first if after is None else after + 1
    order = (
        *range(max(start, ports.first), ports.last + 1),
        *range(ports.first, min(start, ports.last + 1)),
    )
    return next((port for port in order if port not in taken and port not in ports.avoid), None)
