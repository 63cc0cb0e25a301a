"""What was seen of requests, replicas and series, turned into trials and bad ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from steerway.delivery.verdicts.rules.evalues import Array

GROWTH: Final = 2 ** (1 / 8)  # schema 3 of Prometheus' native histograms: 9.05 % a bucket
FASTEST_MS: Final = 0.1
EDGES_MS: Final[Array] = FASTEST_MS * np.exp2(np.arange(201.0) / 8)  # up to 56 minutes
WINDOW_SECONDS: Final = 60
DISCOUNT_LEAST: Final = 0.1  # without it a service with one client would never roll back
WHOLE_PART: Final = 0.1  # of all requests: from here on a client's failures weigh 0.1 at least
FAILED_MIN: Final = 5  # failures before the release from which a client is known to fail,
FAILED_RATIO: Final = 0.5  # ... if they are half of its requests
CALLERS_MAX: Final = 2_000  # remembered (100 kB of a record); one more fails at full weight


def histogram(durations_ms: Array) -> Array:
    """How many requests took how long: counts between `EDGES_MS`, below the first one, beyond."""
    places = np.searchsorted(EDGES_MS, durations_ms, side="left")
    return np.bincount(places, minlength=len(EDGES_MS) + 1).astype(float)


def edge(stable: Array, quantile: float) -> int:
    """The first edge that is not below the stable version's quantile, by its histogram.

    Taken once, before the release: P(canary > growth times the edge) is then compared with
    P(stable > edge), so that the margin, 9 % slower, sits in time and not in the counts. The
    gates compare the canary at growth² times it.
    """
    total = stable.sum()
    assert total > 0, "no stable request was measured"
    found = int(np.searchsorted(np.cumsum(stable), quantile * total))
    return min(found, len(EDGES_MS) - 3)


def slower(counts: Array, place: int) -> float:
    """How many requests of a histogram took longer than an edge."""
    return float(counts[place + 1 :].sum())


def crossed(
    started: Array, ended: Array, limit_seconds: float, *, since: float, until: float
) -> int:
    """How many requests became slower than a limit in a second, those in flight too.

    A request is slow when it crosses the edge and not when it ends, so that a version that hangs
    is seen at once. Units: seconds; `ended` is NaN in flight.
    """
    moment = started + limit_seconds
    lasted = np.isnan(ended) | (ended > moment)
    return int((lasted & (moment >= since) & (moment < until)).sum())


def part_bad(values: Array, *, fine: float, poor: float) -> Array:
    """Numbers on the way from fine (0) to poor (1), so that each look is a trial bad in part.

    What it guarantees: (1) holds for every trial in [0, 1] by convexity, so a canary whose mean
    badness, given what was seen before, stays within ratio times stable + excess, is rolled back
    with a chance of at most alpha. What it does not: beyond the two anchors nothing is told
    apart, and a difference that lasts although nothing is wrong (a colder cache, one larger
    replica) belongs into the margin.
    """
    return np.clip((values - fine) / (poor - fine), 0.0, 1.0)


Caller = tuple[str, str, str]  # version, client, route
Window = tuple[int, int, int]  # a minute's number, failures in it, failures in the one before


@dataclass(frozen=True, slots=True)
class Failing:
    """How often each caller has failed lately."""

    recent: Mapping[Caller, Window]

    def with_second(
        self,
        second: int,
        failures: Mapping[Caller, int],
        parts: Mapping[Caller, float] | None = None,
    ) -> tuple["Failing", dict[str, float]]:
        """One second further, and what each version's failures of it weigh.

        The k-th failure of one client on one route within a minute weighs 1/k: a client that
        tries again and again, or sends nonsense, is one fact and not many. It weighs no less than
        0.1 for a client that makes a tenth of all requests, and in proportion for a smaller one
        (`parts`, 0..1), so that a service with few clients rolls back too. The same for both
        versions, so that a comparison of weighed failures is as fair as one of plain ones.
        """
        minute = second // WINDOW_SECONDS
        kept = {one: seen for one, seen in self.recent.items() if seen[0] >= minute - 1}
        weighed: dict[str, float] = {}
        for caller, count in failures.items():
            window = _moved(kept.get(caller, (minute, 0, 0)), minute)
            left = 1 - second % WINDOW_SECONDS / WINDOW_SECONDS
            before = window[1] + int(window[2] * left)
            part = 1.0 if parts is None else parts.get(caller, 1.0)
            weight = weighed.get(caller[0], 0.0) + weight_of(before, count, part)
            weighed[caller[0]] = weight
            if caller in kept or len(kept) < CALLERS_MAX:
                kept[caller] = (minute, window[1] + count, window[2])
        return Failing(kept), weighed


def _moved(window: Window, minute: int) -> Window:
    """The window as seen from a minute: the sliding count of nginx and others, in three numbers."""
    if window[0] == minute:
        return window
    return minute, 0, window[1] if window[0] == minute - 1 else 0


def weight_of(before: int, count: int, part: float) -> float:
    """What so many failures weigh after so many others of the same client."""
    least = DISCOUNT_LEAST * min(1.0, part / WHOLE_PART)
    order = np.arange(before + 1, before + count + 1)
    return float(np.maximum(1 / order, least).sum())


def always_failing(requests: Mapping[str, int], failures: Mapping[str, int]) -> frozenset[str]:
    """Clients that failed before the release already, by what the stable version saw of them.

    They are left out of both versions' requests and failures: a client that sends nonsense says
    nothing about a release, and it is chosen before the first comparison, so (1) is not touched.
    """
    return frozenset(
        client
        for client, failed in failures.items()
        if failed >= FAILED_MIN and failed >= FAILED_RATIO * requests.get(client, 0)
    )
