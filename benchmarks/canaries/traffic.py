"""Simulated traffic of many releases of one service, the same for every policy that judges it.

Requests arrive as a Poisson stream; a share of them goes to the canary. Latency is lognormal with
a median of 100 ms and a 99th percentile of 404 ms. One stream of random numbers makes the counts
of errors, another the latencies, so that two policies with the same weights see the same errors.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from steerway.delivery.verdicts.rules.signals import DISCOUNT_LEAST, WHOLE_PART, WINDOW_SECONDS

Array = NDArray[np.float64]

MEDIAN_MS: Final = 100.0
SIGMA: Final = 0.6
TAIL: Final = 0.95  # a fault of the tail slows what is slower than this quantile
STORM_SECONDS: Final = 5
STORM_MOST: Final = 400
ERRORS_MOST: Final = 0.5  # of a blip


@dataclass(frozen=True)
class Fault:
    """What is wrong with the canary: an error rate, a multiple of it, slowness, a slow tail."""

    kind: str
    size: float


@dataclass(frozen=True)
class Disturbance:
    """What goes wrong for both versions alike. Everything is off by default."""

    wave: bool = False  # traffic swings by half in five minutes, three times of it for 10 s
    blip: float = 1.0  # times the errors, for 15 s, every two minutes on average
    noise: float = 0.0  # coefficient of variation of each version's error rate, every 30 s
    storm: float = 0.0  # mean failures of one client that tries again, half of all errors
    client: float = 0.0  # part of all requests that come from one client and always fail
    client_is_new: bool = False  # it begins within the first five minutes, not before the release


class Traffic:
    """The traffic of R releases; `second(weight)` gives the counts of the next second."""

    def __init__(
        self,
        rate: float,
        base: float,
        fault: Fault | None,
        disturbance: Disturbance,
        runs: int,
        seed: int,
    ) -> None:
        self.rate, self.base, self.fault, self.runs = rate, base, fault, runs
        self.odd = disturbance
        self.random, self.slow = np.random.default_rng(seed), np.random.default_rng(seed + 1)
        self.at = 0
        self.blip = np.zeros(runs)
        self.frail = np.ones((runs, 2))
        self.storms = np.zeros((4, runs, STORM_SECONDS + 1))  # canary, stable; each also weighed
        chance = np.random.default_rng(seed + 2)
        self.place = chance.random(runs)  # where the bad client's hash falls
        self.client_from = chance.integers(1, 300, runs)
        self.client_count = np.zeros(runs)

    @property
    def canary_rate(self) -> float:
        """The canary's error rate."""
        if self.fault and self.fault.kind == "errors":
            return max(self.fault.size, self.base)
        if self.fault and self.fault.kind == "times":
            return self.fault.size * self.base
        return self.base

    @property
    def is_plain(self) -> bool:
        """Whether several seconds may be drawn as one."""
        return self.odd == Disturbance()

    def second(self, weight: Array) -> Array:
        """(6, R): canary requests, failures, stable requests, failures; failures discounted."""
        self.at += 1
        arrive, random = self._arriving(), self.random
        both = random.poisson(arrive, self.runs)
        canary = random.binomial(both, weight)
        stable = both - canary
        mine, other = self._rates()
        bad, worse = random.binomial(canary, mine), random.binomial(stable, other)
        found = np.array([canary, bad, stable, worse, bad, worse], dtype=float)
        if self.odd.storm:
            found += self._storming(weight, arrive)
        if self.odd.client:
            found += self._failing_client(weight)
        return found

    def seconds(self, weight: Array, count: int) -> Array:
        """The sum of several seconds at one weight."""
        if self.is_plain:
            self.at += count - 1
            return self._at_once(weight, count)
        return np.sum([self.second(weight) for _ in range(count)], axis=0)

    def _at_once(self, weight: Array, count: int) -> Array:
        self.at += 1
        both = self.random.poisson(self.rate * count, self.runs)
        canary = self.random.binomial(both, weight)
        bad = self.random.binomial(canary, self.canary_rate)
        worse = self.random.binomial(both - canary, self.base)
        return np.array([canary, bad, both - canary, worse, bad, worse], dtype=float)

    def _arriving(self) -> float:
        if not self.odd.wave:
            return self.rate
        swing = 1 + 0.5 * np.sin(2 * np.pi * self.at / 300)
        return float(self.rate * swing * (3 if self.at % 240 < 10 else 1))

    def _rates(self) -> tuple[Array, Array]:
        """Error rates of both versions in this second."""
        mine, other = np.full(self.runs, self.canary_rate), np.full(self.runs, self.base)
        if self.odd.storm:  # half of the errors come in storms
            mine, other = mine - self.base / 2, other / 2
        if self.odd.blip > 1:
            begins = (self.random.random(self.runs) < 1 / 120) & (self.blip <= 0)
            self.blip = np.where(begins, 15, self.blip - 1)
            times = np.where(self.blip > 0, self.odd.blip, 1.0)
            mine = np.minimum(mine * times, np.maximum(ERRORS_MOST, mine))
            other = np.minimum(other * times, np.maximum(ERRORS_MOST, other))
        if self.odd.noise:
            if self.at % 30 == 1:
                shape = 1 / self.odd.noise**2
                self.frail = self.random.gamma(shape, 1 / shape, (self.runs, 2))
            mine, other = mine * self.frail[:, 0], other * self.frail[:, 1]
        return np.minimum(mine, 1.0), np.minimum(other, 1.0)

    def _storming(self, weight: Array, arrive: float) -> Array:
        """Storms of one client each, on one version, over five seconds; half of all errors."""
        begun = self.random.poisson(arrive * self.base / 2 / self.odd.storm, self.runs)
        for number in range(int(begun.max(initial=0))):
            rows = np.flatnonzero(begun > number)
            size = np.minimum(self.random.geometric(1 / self.odd.storm, len(rows)), STORM_MOST)
            side = np.where(self.random.random(len(rows)) < weight[rows], 0, 1)
            done = np.zeros(len(rows), dtype=int)
            for later in range(STORM_SECONDS):
                part = self.random.binomial(size - done, 1 / (STORM_SECONDS - later))
                self.storms[side, rows, later] += part
                self.storms[side + 2, rows, later] += _weighed(
                    done + part, DISCOUNT_LEAST
                ) - _weighed(done, DISCOUNT_LEAST)
                done = done + part
        now = self.storms[:, :, 0].copy()
        self.storms = np.roll(self.storms, -1, axis=2)
        self.storms[:, :, -1] = 0
        return np.array([now[0], now[0], now[1], now[1], now[2], now[3]])

    def _failing_client(self, weight: Array) -> Array:
        """One client all of whose requests fail, on the version that its hash falls to."""
        begun = self.at >= self.client_from if self.odd.client_is_new else np.ones(self.runs, bool)
        mean = self.odd.client * self.rate
        count = self.random.poisson(mean, self.runs) * begun
        before = self.client_count.astype(int)
        # As `signals.weight_of`, of a client with this part of all requests.
        least = DISCOUNT_LEAST * min(1.0, self.odd.client / WHOLE_PART)
        weighed = _weighed(before + count, least) - _weighed(before, least)
        self.client_count = np.minimum(self.client_count + count, mean * WINDOW_SECONDS)
        mine = self.place < weight
        first, other = count * mine, count * ~mine
        if not self.odd.client_is_new:  # it failed before the release and is left out
            return np.array([first, first, other, other, 0 * first, 0 * first], dtype=float)
        return np.array([first, first, other, other, weighed * mine, weighed * ~mine], dtype=float)

    def quantile(self, requests: Array, part: float, *, of_canary: bool = True) -> Array:
        """The latency that a policy measures as a quantile of so many requests; NaN of none."""
        rank, some = np.ceil(part * requests), requests > 0
        place = np.full(requests.shape, np.nan)
        place[some] = self.slow.beta(rank[some], requests[some] - rank[some] + 1)
        value = MEDIAN_MS * np.exp(SIGMA * ndtri(np.clip(place, 1e-12, 1 - 1e-12)))
        if of_canary and self.fault and self.fault.kind == "slow":
            return np.asarray(value * self.fault.size)
        if of_canary and self.fault and self.fault.kind == "tail":
            return np.where(place > TAIL, value * self.fault.size, value)
        return np.asarray(value)


def _weighed(count: Array, least: float) -> Array:
    """The sum of max(1/k, least) up to each count."""
    harmonic = HARMONIC[np.minimum(count, int(1 / least))]
    return np.asarray(harmonic + least * np.maximum(count - int(1 / least), 0))


HARMONIC: Final = np.concatenate([[0.0], np.cumsum(1 / np.arange(1.0, 100_000))])
