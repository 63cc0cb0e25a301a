"""What became of each simulated release, and the figures that are made of it."""

from dataclasses import dataclass

import numpy as np
from canaries.traffic import Array, Traffic


@dataclass
class Outcome:
    """One entry a release. Moments are seconds from the start, NaN for never."""

    rolled_back_at: Array
    promoted_at: Array
    failed: Array  # requests that the canary failed until its traffic was gone
    stepped_back: Array

    @classmethod
    def empty(cls, runs: int) -> "Outcome":
        """Nothing has happened yet."""
        never = np.full(runs, np.nan)
        return cls(never, never.copy(), np.zeros(runs), np.zeros(runs, bool))

    def roll_back(self, rows: Array, traffic: Traffic, weight: Array) -> None:
        """The traffic is gone a second later; that second fails as the rate says."""
        self.rolled_back_at[rows] = traffic.at + 1
        self.failed[rows] += traffic.rate * weight * traffic.canary_rate


@dataclass(frozen=True)
class Figures:
    """What a table shows of a cell."""

    rolled_back: float
    seconds: float
    seconds_p95: float
    failed: float  # beyond what the stable version would have failed, median of those rolled back
    failed_p95: float
    promoted: float  # median second of reaching 100 %
    stepped_back: float


def figures(out: Outcome, traffic: Traffic) -> Figures:
    """The figures of a cell."""
    gone = ~np.isnan(out.rolled_back_at)
    up = ~np.isnan(out.promoted_at)
    excess = out.failed[gone] * (1 - traffic.base / traffic.canary_rate)
    return Figures(
        rolled_back=float(gone.mean()),
        seconds=_quantile(out.rolled_back_at[gone], 0.5),
        seconds_p95=_quantile(out.rolled_back_at[gone], 0.95),
        failed=_quantile(excess, 0.5),
        failed_p95=_quantile(excess, 0.95),
        promoted=_quantile(out.promoted_at[up], 0.5),
        stepped_back=float(out.stepped_back.mean()),
    )


def _quantile(values: Array, part: float) -> float:
    return float(np.quantile(values, part)) if len(values) else float("nan")
