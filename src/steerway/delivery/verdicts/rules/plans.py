"""The terms of a rollout: its metrics, margins, steps and its budget of false alarms."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from steerway.delivery.verdicts.rules.evalues import Margin

ERRORS_SHARE: Final = 0.5  # of the budget: errors are what users notice; the others share the rest


class Gates(IntEnum):
    """Which steps need proof that the canary is good on a metric."""

    NEVER = 0
    LAST = 1
    EVERY = 2


@dataclass(frozen=True, slots=True)
class Metric:
    """One comparison. `share` is its part of the budget; all parts together are at most 1.

    Beyond `margin` is a reason to roll back; within `accepted` it passes a gate. `warm_up` seconds
    are ignored at the start. `alone`: the canary is held to `margin.excess` without a comparison,
    because the stable rate is close to nothing.
    """

    name: str
    share: float
    margin: Margin
    accepted: Margin
    warm_up: int = 0
    gates: Gates = Gates.LAST
    alone: bool = False
    trials_min: int = 1  # canary trials below which a gate is not passed by waiting
    bad: str = "failed"  # "5 % of 40 requests failed"
    trials: str = "requests"


@dataclass(frozen=True, slots=True)
class Stage:
    """A share of the traffic, how long at least, and how long at most without proof.

    Units: seconds; `weight` in 0..1.
    """

    weight: float
    t_min: float
    t_max: float


# Below eight requests not even a canary that fails every second one could be told from a good one
# at a chance of 1 in 20: that is the weakest gate there is.
REQUESTS_MIN: Final = 8

ERRORS: Final = Metric(
    "errors",
    ERRORS_SHARE,
    Margin(1.25, 2e-4),
    Margin(1.5, 5e-4),
    gates=Gates.EVERY,
    trials_min=REQUESTS_MIN,
)
_EDGE: Final = Margin(1.0, 0.005)  # the margin in time sits in the edges of the buckets
_TAIL: Final = Margin(1.0, 0.002)
WARM_UP: Final = 10  # seconds: cold caches are slow and that is no fault


def _slow(name: str, margin: Margin) -> Metric:
    return Metric(name, 0.1, margin, margin, warm_up=WARM_UP, bad="were slow")


LATENCY: Final = (_slow("slow_p50", _EDGE), _slow("slow_p90", _EDGE), _slow("slow_p99", _TAIL))
REFUSALS: Final = Metric(
    "http_4xx", 0.1, Margin(1.5, 0.01), Margin(2.0, 0.02), bad="were refused (4xx)"
)
CRASHES: Final = Metric(
    "crash",
    0.1,
    Margin(1.0, 1 / 3600),  # one crash an hour of each instance
    Margin(1.0, 1 / 3600),
    gates=Gates.NEVER,  # a proof that nothing crashes would take hours
    alone=True,
    bad="ended in a crash",
    trials="seconds of replicas",
)
SATURATION: Final = Metric(
    "saturation",
    0.1,
    Margin(1.25, 0.05),
    Margin(1.5, 0.1),
    warm_up=30,
    gates=Gates.NEVER,
    bad="of what its limits allow was used",
    trials="looks",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a verdict depends on, besides what is seen.

    Units: seconds, shares in 0..1; `rate` is requests a second of both versions together.
    """

    metrics: tuple[Metric, ...] = (ERRORS, *LATENCY)
    stages: tuple[Stage, ...] = (
        Stage(0.01, 8, 60),
        Stage(0.05, 8, 60),
        Stage(0.25, 8, 120),
        Stage(0.50, 15, 270),
    )
    bake: float = 120  # at 100 %, with the stable version kept warm
    alpha: float = 1e-3  # chance to roll back a release that is within the margins, in all
    beta: float = 0.05  # chance that a gate passes a release at its acceptance margin
    rate: float = 0.0
    passed_failures: float = 20  # what a fault that passed a gate may cost in the next stage,
    react: float = 2.0  # ... in the time it takes to see it and to move the traffic
    suspicion: float = 5.0  # e-value from which no stage advances
    step_back: float = 1000.0  # e-value in the bake at which half of the traffic goes back
    bake_excess: float = 4.0  # times accepted.excess: the frozen stable rate is a weak comparison
    burn_max: float = 1.0  # ratio of all failures above which nothing advances: 14.4 (1 - SLO)
    weight_trials: float = 100.0  # pseudo-trials at the designed weight, in the realised share
    # Capital that bets from the start; from each of the next stages; spread over all seconds.
    capital_start: float = 0.5
    capital_stage: float = 0.05
    capital_stages: int = 5
    capital_late: float = 0.25

    def __post_init__(self) -> None:
        """The budget of false alarms is spent once."""
        shares = sum(one.share for one in self.metrics)
        assert shares <= 1 + 1e-9, "metrics have more than the whole budget"
        spent = self.capital_start + self.capital_stages * self.capital_stage + self.capital_late
        assert spent <= 1 + 1e-9, "bets have more than the whole capital"

    @property
    def weights(self) -> tuple[float, ...]:
        """The canary's share at each stage, the last one is everything."""
        return (*(one.weight for one in self.stages), 1.0)


def shared(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Metrics with their parts of the budget: errors half, the others the rest, evenly."""
    others = sum(one.name != ERRORS.name for one in metrics)
    first = ERRORS_SHARE if others else 1.0
    return tuple(
        replace(one, share=first if one.name == ERRORS.name else (1 - ERRORS_SHARE) / others)
        for one in metrics
    )
