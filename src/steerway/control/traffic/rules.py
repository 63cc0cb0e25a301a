"""What the router's counters say about the last minutes. Pure."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from steerway.delivery.router.rules import Count

WINDOW: Final = timedelta(minutes=5)
# One look a second; a few more, should looks come early.
LOOKS_MAX: Final = 320
# Versions that had requests in one look; what is above it is left out, the quietest first.
FLOWS_MAX: Final = 2_000
# A rate is that of the last few seconds: at few requests a second, one alone says nothing.
SPAN: Final = timedelta(seconds=3)
SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Flow:
    """The requests to one version of a service in one environment, as the router calls it."""

    service: str
    environment: str
    version: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many requests were answered, and how many of them with a failure."""

    requests: int = 0
    failed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(self.requests + other.requests, self.failed + other.failed)


@dataclass(frozen=True, slots=True)
class Look:
    """What was answered since the look before; flows without a request are absent.

    `begins`: there was no look before, or the router did not answer, so nothing is known.
    """

    at: datetime
    moved: Mapping[Flow, Tally]
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """A flow at one moment. `failed_ratio` is None without requests: no data is not good data."""

    requests_per_second: float
    failed_ratio: float | None


@dataclass(slots=True)
class Window:
    """The looks of the last minutes, oldest first: written by one thread, read by many."""

    _looks: deque[Look] = field(default_factory=lambda: deque(maxlen=LOOKS_MAX))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, look: Look) -> None:
        """Keep a look; the oldest give way."""
        with self._lock:
            self._looks.append(look)

    def looks(self, now: datetime) -> list[Look]:
        """The looks that are not too old."""
        with self._lock:
            return [look for look in self._looks if look.at > now - WINDOW]


def totals(counts: Iterable[Count]) -> dict[Flow, Tally]:
    """The router's counters by flow.

    Source: OpenTelemetry HTTP semantic conventions: for a server, 5xx is an error, 4xx is not.
    A request that got no answer at all has the code 0.
    """
    found: dict[Flow, Tally] = {}
    for one in counts:
        if one.kind != "request":
            continue
        flow = Flow(one.service, one.environment, one.version)
        is_failed = one.code >= SERVER_ERROR or one.code == 0
        tally = Tally(one.requests, one.requests if is_failed else 0)
        found[flow] = found.get(flow, Tally()) + tally
    return found


def moved(before: Mapping[Flow, Tally], now: Mapping[Flow, Tally]) -> dict[Flow, Tally]:
    """What was answered in between. A counter that went back began again at zero."""
    found = {}
    for flow, tally in now.items():
        was = before.get(flow, Tally())
        if tally.requests < was.requests or tally.failed < was.failed:
            was = Tally()
        if tally.requests > was.requests:
            found[flow] = Tally(tally.requests - was.requests, tally.failed - was.failed)
    if len(found) <= FLOWS_MAX:
        return found
    busiest = sorted(found, key=lambda flow: -found[flow].requests)[:FLOWS_MAX]
    return {flow: found[flow] for flow in busiest}


def flows(looks: Iterable[Look], service: str) -> list[Flow]:
    """The flows of a service that had requests, in the order of their first."""
    seen = {flow: None for look in looks for flow in look.moved if flow.service == service}
    return list(seen)


def rates(looks: Sequence[Look], flow: Flow) -> list[Rate | None]:
    """The rate of a flow at each look.

    Shape: as long as `looks`. None before its first request, and where a look begins anew.
    """
    found: list[Rate | None] = []
    has_begun = False
    for index, look in enumerate(looks):
        has_begun = has_begun or flow in look.moved
        first = _first_within(looks, index)
        found.append(_rate(looks[first : index + 1], flow) if has_begun and first < index else None)
    return found


def _first_within(looks: Sequence[Look], index: int) -> int:
    """The look from which a rate at `index` is measured; itself when that begins."""
    first = index
    while first and not looks[first].begins and looks[index].at - looks[first].at < SPAN:
        first -= 1
    return first


def _rate(looks: Sequence[Look], flow: Flow) -> Rate:
    """What came after the first look until the last one."""
    tally = sum((look.moved.get(flow, Tally()) for look in looks[1:]), Tally())
    seconds = (looks[-1].at - looks[0].at).total_seconds()
    ratio = tally.failed / tally.requests if tally.requests else None
    return Rate(tally.requests / seconds if seconds else 0.0, ratio)
