"""The router's counters of two versions, turned into what one second showed.

Counters only rise while the router lives. When one falls the router is a new one: that second says
nothing, and counting goes on from there.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from steerway.delivery.canaries.rules.judging import Counts, Tick
from steerway.delivery.router.rules import CLIENT_ERROR, PACE_EDGES_MS, SERVER_ERROR, Signals

QUANTILES: Final = {"slow_p50": 0.5, "slow_p90": 0.9, "slow_p99": 0.99}
# Below so many requests a quantile of the stable version is not known well enough to hold to.
PACED_MIN: Final = 100
LOOKS_MAX: Final = 90  # one a second, for as long as the slowest edge and more
MILLI: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Look:
    """The counters of one version at a moment of a clock that only goes forward (seconds)."""

    at: float
    signals: Signals

    @property
    def started(self) -> int:
        """Attempts that began, whether they have ended or not."""
        return self.signals.not_above[-1] + self.signals.active


@dataclass(frozen=True, slots=True)
class Side:
    """What is remembered of one version: its looks, and how many were slow by each edge so far."""

    looks: tuple[Look, ...] = ()
    slow: tuple[int, ...] = ()
    paced: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions side by side. `places` are the edges of the stable version's quantiles."""

    places: tuple[int, ...] = ()
    canary: Side = field(default_factory=Side)
    stable: Side = field(default_factory=Side)


@dataclass(frozen=True, slots=True)
class Reply:
    """How a replica took a safe request. `status` 0: no answer. Units: milliseconds."""

    status: int
    took_ms: float


def with_replies(signals: Signals, replies: Sequence[Reply]) -> Signals:
    """The counters as if these requests had come from people."""
    took = sorted(one.took_ms for one in replies)
    return replace(
        signals,
        ended=signals.ended + len(replies),
        failed=signals.failed
        + sum(one.status == 0 or one.status >= SERVER_ERROR for one in replies),
        refused=signals.refused + sum(CLIENT_ERROR <= one.status < SERVER_ERROR for one in replies),
        not_above=tuple(
            known + bisect_right(took, edge)
            for known, edge in zip(signals.not_above, PACE_EDGES_MS, strict=True)
        ),
    )


def both(one: Signals, other: Signals) -> Signals:
    """Two sets of counters as one; who is healthy is said by the first."""
    return replace(
        one,
        ended=one.ended + other.ended,
        failed=one.failed + other.failed,
        refused=one.refused + other.refused,
        not_above=tuple(map(sum, zip(one.not_above, other.not_above, strict=True))),
    )


def places(stable: Signals) -> tuple[int, ...]:
    """The edges at the stable version's p50, p90 and p99; none while it has too few requests.

    Taken once, before anything is compared: the canary is then held to the next edge, so that the
    margin sits in time, 9 % slower, and not in the counts.
    """
    paced = stable.not_above[-1]
    if paced < PACED_MIN:
        return ()
    last = len(PACE_EDGES_MS) - 4  # two edges above it are still below the one beyond all
    return tuple(
        min(next(i for i, n in enumerate(stable.not_above) if n >= part * paced), last)
        for part in QUANTILES.values()
    )


def compared(before: Comparison, canary: Look, stable: Look) -> tuple[Comparison, Tick]:
    """One second further, and what it showed of both versions."""
    found = before.places or places(stable.signals)
    mine = _followed(before.canary, canary, [i + 1 for i in found] + [i + 2 for i in found])
    other = _followed(before.stable, stable, list(found))
    counts = {
        "errors": _errors(before, canary, stable),
        "http_4xx": _refusals(before, canary, stable),
    }
    if found and found == before.places:  # edges that are new have nothing to subtract from
        counts |= _paces(before, mine, other)
    is_down = not canary.signals.healthy and stable.signals.healthy > 0
    after = replace(before, places=found, canary=mine, stable=other)
    return after, Tick(counts=counts, is_down=is_down)


def _followed(before: Side, look: Look, edges: Sequence[int]) -> Side:
    """The side with one more look. A request in flight is slow as soon as it crosses an edge."""
    if _is_new(before, look):
        before = Side()
    paced = look.signals.not_above
    late = [_in_flight(before.looks, look, PACE_EDGES_MS[place] / MILLI) for place in edges]
    slow = [paced[-1] - paced[place] + more for place, more in zip(edges, late, strict=True)]
    return Side(
        looks=(*before.looks, look)[-LOOKS_MAX:],
        slow=_risen(before.slow, slow),
        paced=_risen(before.paced, [paced[-1] + more for more in late]),
    )


def _risen(before: Sequence[int], now: Sequence[int]) -> tuple[int, ...]:
    """Counts that never fall: what was seen in flight may end a moment before it is counted."""
    was = before if len(before) == len(now) else (0,) * len(now)
    return tuple(map(max, now, was))


def _is_new(before: Side, now: Look) -> bool:
    return bool(before.looks) and now.signals.ended < before.looks[-1].signals.ended


def _in_flight(looks: Sequence[Look], now: Look, edge_seconds: float) -> int:
    """At least so many requests are being answered for longer than an edge.

    Those that had begun so long ago, less all that have ended by now, whichever they were.
    """
    old = next((one for one in reversed(looks) if one.at <= now.at - edge_seconds), None)
    return max(0, old.started - now.signals.not_above[-1]) if old else 0


def _errors(before: Comparison, canary: Look, stable: Look) -> Counts:
    mine, other = _gained(before.canary, canary), _gained(before.stable, stable)
    return Counts(mine.ended, other.ended, mine.failed, other.failed)


def _refusals(before: Comparison, canary: Look, stable: Look) -> Counts:
    mine, other = _gained(before.canary, canary), _gained(before.stable, stable)
    return Counts(mine.ended, other.ended, mine.refused, other.refused)


def _gained(before: Side, now: Look) -> Signals:
    """What was added since the look before; nothing at the first, or by a router that is new."""
    if not before.looks or _is_new(before, now):
        return Signals()
    was = before.looks[-1].signals
    return Signals(
        ended=now.signals.ended - was.ended,
        failed=max(0, now.signals.failed - was.failed),
        refused=max(0, now.signals.refused - was.refused),
    )


def _paces(before: Comparison, canary: Side, stable: Side) -> dict[str, Counts]:
    found = {}
    count = len(QUANTILES)
    for at, name in enumerate(QUANTILES):
        found[name] = Counts(
            trials_canary=_more(canary.paced, before.canary.paced, at),
            trials_stable=_more(stable.paced, before.stable.paced, at),
            bad_canary=_more(canary.slow, before.canary.slow, at),
            bad_stable=_more(stable.slow, before.stable.slow, at),
            bad_canary_ok=_more(canary.slow, before.canary.slow, count + at),
            bad_stable_ok=_more(stable.slow, before.stable.slow, at),
        )
    return found


def _more(now: Sequence[int], before: Sequence[int], at: int) -> int:
    return max(0, now[at] - before[at]) if len(before) == len(now) else 0
