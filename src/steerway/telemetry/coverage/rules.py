"""When a cell of the coverage is green, and when it is not. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

SILENCE_MAX: Final = timedelta(minutes=2)
EVENTS: Final[Mapping[str, str]] = {
    "telemetry.stale": "A signal of a layer has been silent for too long.",
    "telemetry.fresh": "A signal that was stale is seen again.",
}


class Layer(StrEnum):
    """Where something is measured, from the user's software downwards."""

    APPLICATION = "application"
    PROCESS = "process"
    HOST = "host"
    ROUTER = "router"
    DATABASE = "database"
    SUPPLIER = "supplier"


class Signal(StrEnum):
    """What kind of thing is recorded."""

    METRICS = "metrics"
    LOGS = "logs"
    TRACES = "traces"


class State(StrEnum):
    """How a cell is."""

    FRESH = "fresh"
    QUIET = "quiet"
    STALE = "stale"
    NEVER = "never seen"
    NOT_EXPECTED = "not expected"


TONES: Final[Mapping[State, str]] = {
    State.FRESH: "healthy",
    State.QUIET: "unknown",
    State.STALE: "failed",
    State.NEVER: "waiting",
    State.NOT_EXPECTED: "unknown",
}
# Jobs of our own collectors, and the layer that each is about. Any other job is the application's.
JOBS: Final[Mapping[str, Layer]] = {
    "process": Layer.PROCESS,
    "host": Layer.HOST,
    "router": Layer.ROUTER,
    "postgresql": Layer.DATABASE,
    "sqlite": Layer.DATABASE,
    "supplier": Layer.SUPPLIER,
}
# Where log lines come from, and their layer. Those of the router are its access log.
SOURCES: Final[Mapping[str, Layer]] = {
    "process": Layer.PROCESS,
    "otlp": Layer.APPLICATION,
    "database": Layer.DATABASE,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A service in one environment."""

    service: str
    environment: str


@dataclass(frozen=True, slots=True)
class Spot:
    """One cell: a signal of a layer of a place."""

    place: Place
    layer: Layer
    signal: Signal


@dataclass(frozen=True, slots=True)
class Expected:
    """What a service should be seen by, from what it declares and what runs of it."""

    place: Place
    is_running: bool = True
    is_routed: bool = True
    scrapes: bool = False
    databases: int = 0
    suppliers: int = 0
    processes: int = 1

    def expects(self, layer: Layer, signal: Signal) -> bool:
        """Whether something should be there. Nothing is expected of what does not run."""
        if signal is Signal.METRICS:
            return self._measured(layer)
        if signal is Signal.LOGS:
            logging = (layer is Layer.PROCESS and self.is_running) or layer is Layer.ROUTER
            return logging and (layer is not Layer.ROUTER or self._is_reached)
        return layer is Layer.APPLICATION and self._is_reached

    @property
    def _is_reached(self) -> bool:
        return self.is_running and self.is_routed

    def _measured(self, layer: Layer) -> bool:
        return {
            Layer.APPLICATION: self.is_running and (self.scrapes or self.is_routed),
            Layer.PROCESS: self.is_running,
            Layer.HOST: self.is_running,
            Layer.ROUTER: self._is_reached,
            Layer.DATABASE: self.is_running and self.databases > 0,
            Layer.SUPPLIER: self.suppliers > 0,
        }[layer]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store knows: when each cell last had something, and who was busy just now."""

    last: Mapping[Spot, datetime]
    busy: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the grid."""

    layer: Layer
    signal: Signal
    state: State
    seen_at: datetime | None = None

    @property
    def tone(self) -> str:
        """The colour of it, in the words of badges: never good unless it is fresh."""
        return TONES[self.state]


def state(
    *,
    is_expected: bool,
    seen_at: datetime | None,
    now: datetime,
    silence: timedelta = SILENCE_MAX,
    is_quiet: bool = False,
) -> State:
    """How a cell is at this moment.

    `is_quiet`: nothing happened that it could tell of.
    """
    if seen_at is None:
        return State.NEVER if is_expected else State.NOT_EXPECTED
    if now - seen_at <= silence:
        return State.FRESH
    if not is_expected:
        return State.NOT_EXPECTED
    return State.QUIET if is_quiet else State.STALE


def grid(
    expected: Expected, seen: Seen, *, now: datetime, silence: timedelta = SILENCE_MAX
) -> list[Cell]:
    """Every cell of a place, layer by layer."""
    return [
        _cell(expected, Spot(expected.place, layer, signal), seen, now, silence)
        for layer in Layer
        for signal in Signal
    ]


def turns(before: Mapping[Spot, State], now: Mapping[Spot, State]) -> Iterable[tuple[Spot, State]]:
    """The cells that went stale, and those that were stale and are fresh."""
    for spot, one in now.items():
        was = before.get(spot)
        if one is State.STALE and was is not State.STALE:
            yield spot, State.STALE
        elif one is State.FRESH and was is State.STALE:
            yield spot, State.FRESH


def _cell(expected: Expected, spot: Spot, seen: Seen, now: datetime, silence: timedelta) -> Cell:
    """Lines and spans come of what happens: without requests, their silence means nothing.

    Numbers are measured whether anything happens or not, so theirs always does.
    """
    is_event = spot.signal is not Signal.METRICS
    seen_at = seen.last.get(spot)
    found = state(
        is_expected=expected.expects(spot.layer, spot.signal),
        seen_at=seen_at,
        now=now,
        silence=silence,
        is_quiet=is_event and (spot.place not in seen.busy or spot.layer is Layer.PROCESS),
    )
    return Cell(spot.layer, spot.signal, found, seen_at)
