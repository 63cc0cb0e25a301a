"""What was seen of requests, replicas and series, turned into trials and bad ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from steerway.delivery.canaries.rules.evalues import Array

GROWTH: Final = 2 ** (1 / 8)  # schema 3 of Prometheus' native histograms: 9.05 % a bucket
FASTEST_MS: Final = 0.1
EDGES_MS: Final[Array] = FASTEST_MS * np.exp2(np.arange(201.0) / 8)  # up to 56 minutes
DISCOUNT_SECONDS: Final = 10
DISCOUNT_LEAST: Final = 0.1  # without it a service with one client would never roll back
CALLERS_MAX: Final = 10_000  # remembered; one more fails at full weight


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


@dataclass(frozen=True, slots=True)
class Failing:
    """Who failed in the last seconds: (second, failures) of each caller."""

    recent: Mapping[Caller, tuple[tuple[int, int], ...]]

    def with_second(
        self, second: int, failures: Mapping[Caller, int]
    ) -> tuple["Failing", dict[str, float]]:
        """One second further, and what each version's failures of it weigh.

        The k-th failure of one client on one route within ten seconds weighs max(1/k, 0.1): a
        client that tries again and again, or sends nonsense, is one fact and not many. The same
        for both versions.
        """
        kept = {
            caller: alive
            for caller, seen in self.recent.items()
            if (alive := tuple(one for one in seen if one[0] > second - DISCOUNT_SECONDS))
        }
        weighed: dict[str, float] = {}
        for caller, count in failures.items():
            before = sum(one[1] for one in kept.get(caller, ()))
            weighed[caller[0]] = weighed.get(caller[0], 0.0) + _weight(before, count)
            if caller in kept or len(kept) < CALLERS_MAX:
                kept[caller] = (*kept.get(caller, ()), (second, count))
        return Failing(kept), weighed


def _weight(before: int, count: int) -> float:
    flat = int(1 / DISCOUNT_LEAST)
    order = np.arange(before + 1, min(before + count, flat) + 1)
    return float((1 / order).sum() + DISCOUNT_LEAST * (count - len(order)))
