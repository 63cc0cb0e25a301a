"""Range functions over native histograms, sample by sample: there are few."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import numpy as np

from steerway.telemetry.ranges import over_time, rates
from steerway.telemetry.ranges.over_time import Result
from steerway.telemetry.ranges.windows import Windows
from steerway.telemetry.vectors.native import Histogram
from steerway.telemetry.vectors.shapes import NOTHING, Vector

Sequence = list[Histogram]


def _grown(found: Sequence) -> Histogram:
    """The last one minus the first one; one that went back began again at nothing."""
    total = found[-1].plus(found[0], -1.0)
    for before, after in pairwise(found):
        if after.is_reset_after(before):
            total = total.plus(before)
    return total


def _sum(found: Sequence) -> Histogram:
    total = found[0]
    for one in found[1:]:
        total = total.plus(one)
    return total


def _rate(windows: Windows, found: Sequence, row: int, column: int, length: int) -> Histogram:
    grown = _grown(found)
    first = np.full(windows.counts.shape, found[0].count)
    by, _ = rates.factor(windows, first, np.full(windows.counts.shape, grown.count), length)
    return grown.scaled(float(by[row, column]))


def _delta(windows: Windows, found: Sequence, row: int, column: int) -> Histogram:
    by, _ = rates.factor(windows, None, None, 0)
    return found[-1].plus(found[0], -1.0).scaled(float(by[row, column]))


def _instant(windows: Windows, found: Sequence, row: int, column: int) -> Histogram:
    top = windows.high[row, column]
    seconds = (windows.samples.times[top - 1] - windows.samples.times[top - 2]) / 1000
    new, old = found[-1], found[-2]
    grown = new if new.is_reset_after(old) else new.plus(old, -1.0)
    return grown.scaled(1 / float(seconds))


Computes = Callable[[Windows, Sequence, int, int], Histogram]

# By function: how many samples it needs, and what it makes of them.
FUNCTIONS: Final[dict[str, tuple[int, Computes]]] = {
    "rate": (2, lambda w, found, row, column: _rate(w, found, row, column, w.length)),
    "increase": (2, lambda w, found, row, column: _rate(w, found, row, column, 0)),
    "delta": (2, _delta),
    "irate": (2, _instant),
    "idelta": (2, lambda w, found, row, column: found[-1].plus(found[-2], -1.0)),
    "sum_over_time": (1, lambda w, found, row, column: _sum(found)),
    "avg_over_time": (1, lambda w, found, row, column: _sum(found).scaled(1 / len(found))),
    "last_over_time": (1, lambda w, found, row, column: found[-1]),
    "first_over_time": (1, lambda w, found, row, column: found[0]),
}


def applied(name: str, windows: Windows) -> Vector | None:
    """A range function; None when it does not know histograms."""
    if name not in FUNCTIONS:
        return None
    least, compute = FUNCTIONS[name]
    samples = windows.samples
    assert samples.histograms is not None
    found = np.full(windows.counts.shape, NOTHING, object)
    held = windows.counts >= least
    for row, column in zip(*np.nonzero(held), strict=True):
        low, high = windows.low[row, column], windows.high[row, column]
        several = list(samples.histograms[low:high])
        found[row, column] = compute(windows, several, int(row), int(column))
    drops = np.ones(len(held), np.bool_)
    return Vector(samples.labels, np.zeros(held.shape), held, drops, found)


def _steps(windows: Windows, differs: Callable[[Histogram, Histogram], bool], which: str) -> Result:
    """Changes and resets, where a step between a number and a histogram is one too."""
    samples = windows.samples
    assert samples.histograms is not None
    moved = np.zeros(len(samples.values) + 1)
    for at in range(1, len(samples.values)):
        old, new = samples.histograms[at - 1], samples.histograms[at]
        if old is None and new is None:
            x, y = samples.values[at - 1], samples.values[at]
            both = np.isnan(x) and np.isnan(y)
            moved[at + 1] = y < x if which == "resets" else (x != y and not both)
        else:
            moved[at + 1] = old is None or new is None or differs(old, new)
    total = np.cumsum(moved)
    top = np.maximum(windows.high, windows.low + 1)
    last = len(total) - 1
    found = total[np.minimum(top, last)] - total[np.minimum(windows.low + 1, last)]
    return found, windows.counts > 0


COUNTING: Final[dict[str, Callable[[Windows], Result]]] = {
    "count_over_time": over_time.count,
    "present_over_time": over_time.present,
    "ts_of_first_over_time": over_time.when_first,
    "ts_of_last_over_time": over_time.when_last,
    "changes": lambda windows: _steps(windows, lambda a, b: not a.same(b), "changes"),
    "resets": lambda windows: _steps(windows, lambda a, b: b.is_reset_after(a), "resets"),
}
