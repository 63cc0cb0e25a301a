"""How others decide, modelled from their sources; every query is of the canary alone, no lag.

Argo Rollouts (docs/features/analysis.md, analysis/analysis.go), Flagger (docs/gitbook/usage,
pkg/controller/scheduler.go), Kayenta (NetflixACAJudge.scala, MannWhitneyClassifier.scala and
Spinnaker's best practices), Lindon & Malek (NeurIPS 2022). "tuned" are fast settings of ours, not
the projects' advice: 1/5/25/50 %, checks every 10 s over 30 s, 98 % success, p99 of 500 ms.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from canaries.outcome import Outcome
from canaries.traffic import Array, Traffic
from scipy.special import betaln, xlogy

RAMP: Final = (0.01, 0.05, 0.25, 0.50)
SLOWEST_MS: Final = 500.0
MANN_WHITNEY_Z: Final = 2.3263478740  # Kayenta's fixed level, 98 %
TOLERANCE: Final = 0.25  # Kayenta's fixed effect size


class Run:
    """What every policy does alike: count, roll back, promote."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic, self.out = traffic, Outcome.empty(traffic.runs)
        self.active = np.ones(traffic.runs, bool)

    def carry(self, weight: Array, seconds: int) -> Array:
        """Some seconds of traffic: canary requests, failures, stable requests, failures."""
        counts = self.traffic.seconds(weight, seconds)
        self.out.failed += counts[1] * self.active
        return counts[:4]

    def judged(self, is_bad: Array, weight: Array) -> None:
        """Roll these back."""
        bad = np.flatnonzero(is_bad & self.active)
        self.out.roll_back(bad, self.traffic, weight[bad])
        self.active[bad] = False

    def promote(self, which: Array | None = None) -> None:
        """All traffic to these, or to all that are left."""
        good = self.active if which is None else which & self.active
        self.out.promoted_at[good] = self.traffic.at + 1
        self.active = self.active & ~good

    def full(self, weight: float) -> Array:
        """One weight for all."""
        return np.full(self.traffic.runs, weight)

    def p99(self, requests: Array) -> Array:
        """The canary's measured p99; 0 of no requests, which passes a threshold."""
        return np.nan_to_num(self.traffic.quantile(requests, 0.99), nan=0.0)


def ratio(bad: Array, trials: Array) -> Array:
    """Failures of requests, 0 of none."""
    return np.asarray(bad / np.maximum(trials, 1))


def argo_docs(traffic: Traffic) -> Outcome:
    """20/40/60/80 % for 10 min each, from the second step every 5 min, 95 %, failureLimit 3."""
    run, fails = Run(traffic), np.zeros(traffic.runs)
    for at in range(300, 2401, 300):
        weight = run.full(0.2 * (1 + (at - 1) // 600))
        run.carry(weight, 285)
        requests, failed, _, _ = run.carry(weight, 15)  # irate: the last two scrapes
        if 600 <= at < 2400:
            fails += (requests > 0) & (1 - ratio(failed, requests) < 0.95)
            run.judged(fails > 3, run.full(0.2 * (1 + at // 600)))
    run.promote()
    return run.out


def argo_tuned(traffic: Traffic) -> Outcome:
    """The ramp, 60 s a step, failureLimit 1 for each of two metrics."""
    run, seen = Run(traffic), []
    errors, slow = np.zeros(traffic.runs), np.zeros(traffic.runs)
    for at in range(10, 241, 10):
        weight = run.full(RAMP[(at - 1) // 60])
        seen = [*seen, run.carry(weight, 10)][-3:]
        requests, failed = sum(one[0] for one in seen), sum(one[1] for one in seen)
        errors += (requests > 0) & (1 - ratio(failed, requests) < 0.98)
        slow += run.p99(requests) > SLOWEST_MS
        run.judged((errors > 1) | (slow > 1), weight)
    run.promote()
    return run.out


def flagger(
    traffic: Traffic, interval: int, window: int, threshold: int, ramp: Array, success: float
) -> Outcome:
    """A failed or empty check halts and counts, never reset; at the threshold the next tick
    rolls back; after the last weight has passed the next tick promotes.
    """  # noqa: D205 -- one thought
    run, seen = Run(traffic), []
    fails, step = np.zeros(traffic.runs, int), np.zeros(traffic.runs, int)
    passed = np.zeros(traffic.runs, bool)
    for _ in range(interval, 3601, interval):
        weight = ramp[step]
        seen = [*seen, run.carry(weight, interval)][-(window // interval) :]
        run.judged(fails >= threshold, weight)
        run.promote(passed)
        requests, failed = sum(one[0] for one in seen), sum(one[1] for one in seen)
        good = (requests > 0) & (1 - ratio(failed, requests) >= success)
        good &= run.p99(requests) <= SLOWEST_MS
        fails += ~good
        passed |= good & (step == len(ramp) - 1)
        step = np.where(good, np.minimum(step + 1, len(ramp) - 1), step)
        if not run.active.any():
            break
    return run.out


def flagger_docs(traffic: Traffic) -> Outcome:
    """Every minute, threshold 10, 5 % steps to 50 %, 99 % success."""
    return flagger(traffic, 60, 60, 10, np.arange(5, 51, 5) / 100, 0.99)


def flagger_tuned(traffic: Traffic) -> Outcome:
    """Every 10 s over 30 s, threshold 2, the ramp, 98 % success."""
    return flagger(traffic, 10, 30, 2, np.array(RAMP), 0.98)


def fixed_five_minutes(traffic: Traffic) -> Outcome:
    """After five minutes a step: more than 2 % errors or a p99 over 500 ms rolls back."""
    run = Run(traffic)
    for part in RAMP:
        weight = run.full(part)
        requests, failed, _, _ = run.carry(weight, 300)
        bad = (ratio(failed, requests) > 0.02) | (run.p99(requests) > SLOWEST_MS)
        run.judged((requests > 0) & bad, weight)
    run.promote()
    return run.out


def kayenta(traffic: Traffic) -> Outcome:
    """10 % against a baseline of 10 %, three hours judged hourly by the minute; 75 and 95."""
    run, weight, points = Run(traffic), np.full(traffic.runs, 0.1), 60
    for hour in range(3):
        series = np.zeros((6, traffic.runs, points))
        for minute in range(points):
            requests, failed, stable, others = run.carry(weight, 60)
            beside = traffic.random.binomial(stable.astype(int), 0.1 / 0.9)
            bad = traffic.random.hypergeometric(
                others.astype(int), (stable - others).astype(int), beside
            )
            series[0, :, minute], series[1, :, minute] = (
                ratio(failed, requests),
                ratio(bad.astype(float), beside.astype(float)),
            )
            for row, part in ((2, 0.5), (4, 0.99)):
                ours, theirs = (
                    traffic.quantile(requests, part),
                    traffic.quantile(beside.astype(float), part, of_canary=False),
                )
                series[row, :, minute] = np.nan_to_num(ours)
                series[row + 1, :, minute] = np.nan_to_num(theirs)
        high = [_is_high(series[row], series[row + 1]) for row in (0, 2, 4)]
        score = 50.0 * ~high[0] + 25.0 * ~high[1] + 25.0 * ~high[2]
        run.judged(score < (95 if hour == 2 else 75), weight)
        if not run.active.any():
            return run.out
    run.promote()
    return run.out


def _is_high(canary: Array, baseline: Array) -> Array:
    """Mann-Whitney: the lower bound of the shift is beyond a quarter of the shift itself."""
    points = canary.shape[1]
    sigma = np.sqrt(points * points * (2 * points + 1) / 12)
    low = int(np.floor(points * points / 2 - 0.5 - MANN_WHITNEY_Z * sigma))
    middle = points * points // 2
    found = np.zeros(len(canary), bool)
    for at in range(len(canary)):
        apart = np.partition((canary[at][:, None] - baseline[at][None]).ravel(), (low, middle))
        found[at] = apart[low] > TOLERANCE * abs(apart[middle])
    mine, theirs = canary.mean(1), baseline.mean(1)
    some = (mine == 0) | (theirs == 0) | (mine >= theirs)
    return found & some


def lindon_malek(traffic: Traffic) -> Outcome:
    """Equality of two error streams, Dirichlet(100 times the weights), 1 %; the ramp by 60 s."""
    run = Run(traffic)
    before, factor = np.zeros(traffic.runs), np.zeros(traffic.runs)
    seen = np.zeros((2, traffic.runs))
    for at in range(240):
        part = RAMP[at // 60]
        weight = run.full(part)
        if at % 60 == 0:
            before, seen = before + factor, seen * 0
        counts = run.traffic.second(weight)
        run.out.failed += counts[1] * run.active
        seen = seen + counts[[1, 3]]
        mine, other = 100 * part, 100 * (1 - part)
        factor = betaln(mine + seen[0], other + seen[1]) - betaln(mine, other)
        factor = factor - xlogy(seen[0], part) - xlogy(seen[1], 1 - part)
        run.judged(before + factor >= -np.log(0.01), weight)
    run.promote()
    return run.out


PEERS: Final[dict[str, Callable[[Traffic], Outcome]]] = {
    "Argo tuned": argo_tuned,
    "Flagger tuned": flagger_tuned,
    "fixed 5 min": fixed_five_minutes,
    "Flagger docs": flagger_docs,
    "Argo docs": argo_docs,
    "Kayenta": kayenta,
    "Lindon-Malek": lindon_malek,
}
DOCS: Final = ("Argo docs", "Flagger docs", "Kayenta")
