"""What a service in one environment is, from what is known about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """How a service is in one environment."""

    NONE = "none"
    SERVING = "serving"
    DEPLOYING = "deploying"
    DEGRADED = "degraded"
    DOWN = "down"
    CRASH_LOOP = "crash-loop"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica as it was last seen."""

    name: str
    state: str
    started_at: datetime | None = None
    restarts: int | None = None
    port: int | None = None
    problem: str = ""

    @property
    def is_up(self) -> bool:
        """Whether it does its work."""
        return self.state in {"serving", "up"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A service in one environment."""

    name: str
    wanted: int
    config_digest: str
    url: str = ""
    version: str = ""
    commit: str = ""
    ref: str = ""
    since: datetime | None = None
    served_config: str = ""
    flight: str = ""
    replicas: Sequence[Replica] = field(default_factory=tuple)

    @property
    def state(self) -> State:
        """How it is; a silence of the watcher is not health."""
        if self.flight:
            return State.DEPLOYING
        return state(is_deployed=bool(self.ref), wanted=self.wanted, replicas=self.replicas)

    @property
    def is_drifted(self) -> bool:
        """Whether the descriptor in force says something else than what serves."""
        return bool(self.ref) and self.served_config != self.config_digest

    @property
    def unseen(self) -> range:
        """One for each replica that should run, while nobody has looked."""
        return range(self.wanted)

    @property
    def up(self) -> int:
        """How many replicas run."""
        return sum(replica.is_up for replica in self.replicas)


def state(*, is_deployed: bool, wanted: int, replicas: Sequence[Replica]) -> State:
    """How a service is in one environment."""
    if not is_deployed:
        return State.NONE
    unseen = [replica for replica in replicas if replica.state == State.UNKNOWN]
    if wanted and len(unseen) == len(replicas):
        return State.UNKNOWN
    if any(replica.state == State.CRASH_LOOP for replica in replicas):
        return State.CRASH_LOOP
    up = sum(replica.is_up for replica in replicas)
    if up >= wanted:
        return State.SERVING
    return State.DEGRADED if up else State.DOWN


TROUBLE: frozenset[State] = frozenset({State.CRASH_LOOP, State.DOWN, State.DEGRADED})

# The worst comes first: it is what a list of services is sorted and coloured by.
WORST: tuple[State, ...] = (
    State.CRASH_LOOP,
    State.DOWN,
    State.DEGRADED,
    State.UNKNOWN,
    State.DEPLOYING,
    State.SERVING,
    State.NONE,
)


def worst(states: Sequence[State]) -> State:
    """The state that asks for attention most."""
    return min(states, key=WORST.index, default=State.NONE)
