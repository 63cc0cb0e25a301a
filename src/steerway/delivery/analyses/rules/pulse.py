"""How failures of what serves cluster, kept in memory for the next canary.

Failures that come in bunches (one client that tries again and again) say less than as many that
come alone. How much less is seen by comparing the replicas of one version: what swings for all of
them together is the world, what swings for one is chance, and chance has a known size.
"""

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from steerway.delivery.verdicts.rules.evalues import dispersion

SECONDS_KEPT: Final = 1800
SECONDS_MIN: Final = 60  # below it nothing is known
BLOCKS: Final = (1, 10)  # seconds: bunches of different length show in different blocks
REPLICAS_MIN: Final = 2
VERSIONS_MAX: Final = 500
UNKNOWN: Final = 1.0

Totals = Mapping[Any, tuple[int, int]]  # by replica: requests, and those that failed


class Pulse:
    """The last half hour of each version that serves: written by one thread, read by others."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._looks: dict[str, deque[Totals]] = {}
        self._lock = threading.Lock()

    def add(self, found: Mapping[str, Totals]) -> None:
        """A second of every version; one that is not among them is forgotten."""
        with self._lock:
            kept = {name: self._looks.get(name) for name in list(found)[:VERSIONS_MAX]}
            self._looks = {
                name: looks if looks is not None else deque(maxlen=SECONDS_KEPT)
                for name, looks in kept.items()
            }
            for name, looks in self._looks.items():
                looks.append(found[name])

    def phi(self, version: str) -> float:
        """How much more its failures vary than independent ones; 1 when nothing is known."""
        with self._lock:
            looks = list(self._looks.get(version, ()))
        replicas = set(looks[-1]) if looks else set()
        looks = [one for one in looks if replicas <= set(one)]
        if len(replicas) < REPLICAS_MIN or len(looks) < SECONDS_MIN:
            return UNKNOWN
        totals = np.array([[one[name] for one in looks] for name in replicas], dtype=float)
        gained = np.maximum(np.diff(totals, axis=1), 0.0)  # a router that is new begins at zero
        return max(_phi(gained, seconds) for seconds in BLOCKS)


def _phi(gained: np.ndarray, seconds: int) -> float:
    blocks = gained.shape[1] // seconds
    cut = gained[:, : blocks * seconds].reshape(len(gained), blocks, seconds, 2).sum(2)
    return float(dispersion(cut[:, :, 1], cut[:, :, 0]))
