"""Range functions: a number from the samples of each window."""

from collections.abc import Callable
from typing import Final

import numpy as np

from steerway.telemetry.ranges.windows import Windows
from steerway.telemetry.vectors import sums
from steerway.telemetry.vectors.labels import Rows
from steerway.telemetry.vectors.shapes import Bools, Floats

Result = tuple[Floats, Bools]
QUANTILE_CELLS_MAX: Final = 4_000_000  # of one piece of work


def _some(windows: Windows) -> Bools:
    return windows.counts > 0


def count(windows: Windows) -> Result:
    """How many samples."""
    return windows.counts.astype(np.float64), _some(windows)


def present(windows: Windows) -> Result:
    """1 where there is a sample."""
    return np.ones(windows.counts.shape), _some(windows)


def last(windows: Windows) -> Result:
    """The newest value."""
    return windows.value(np.maximum(windows.high - 1, 0)), _some(windows)


def first(windows: Windows) -> Result:
    """The oldest value."""
    return windows.value(windows.low), _some(windows)


def total(windows: Windows) -> Result:
    """The sum."""
    found, rest = np.zeros(windows.counts.shape), np.zeros(windows.counts.shape)
    for held, value, _ in windows.steps():
        more, lost = sums.add(value, found, rest)
        found, rest = np.where(held, more, found), np.where(held, lost, rest)
    return np.where(np.isinf(found), found, found + rest), _some(windows)


def mean(windows: Windows) -> Result:
    """The mean, also where the sum is too large for a number."""
    found, held = total(windows)
    size = np.maximum(windows.counts, 1)
    means = found / size
    over = np.isinf(found)
    if not over.any():
        return means, held
    shares, rest = np.zeros(found.shape), np.zeros(found.shape)
    for has, value, _ in windows.steps():
        more, lost = sums.add(value / size, shares, rest)
        shares, rest = np.where(has, more, shares), np.where(has, lost, rest)
    return np.where(over, shares + rest, means), held


def _extreme(windows: Windows, better: Callable[[Floats, Floats], Bools]) -> tuple[Floats, Floats]:
    """The value that no other is better than, and when it was; NaN only where all are."""
    found = windows.value(windows.low)
    when = windows.time(windows.low).astype(np.float64)
    for held, value, time in windows.steps():
        takes = held & (better(value, found) | np.isnan(found))
        found, when = np.where(takes, value, found), np.where(takes, time, when)
    return found, when / 1000


def largest(windows: Windows) -> Result:
    """The largest value."""
    return _extreme(windows, np.greater)[0], _some(windows)


def smallest(windows: Windows) -> Result:
    """The smallest value."""
    return _extreme(windows, np.less)[0], _some(windows)


def when_largest(windows: Windows) -> Result:
    """When the largest value was; the last time of several."""
    return _extreme(windows, np.greater_equal)[1], _some(windows)


def when_smallest(windows: Windows) -> Result:
    """When the smallest value was; the last time of several."""
    return _extreme(windows, np.less_equal)[1], _some(windows)


def when_first(windows: Windows) -> Result:
    """When the oldest sample was."""
    return windows.time(windows.low) / 1000, _some(windows)


def when_last(windows: Windows) -> Result:
    """When the newest sample was."""
    return windows.time(np.maximum(windows.high - 1, 0)) / 1000, _some(windows)


def variance(windows: Windows) -> Result:
    """The spread around the mean."""
    shape = windows.counts.shape
    size, middle, rest = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    squares, lost = np.zeros(shape), np.zeros(shape)
    for held, value, _ in windows.steps():
        size = size + held
        apart = value - (middle + rest)
        moved, moved_rest = sums.add(apart / np.maximum(size, 1), middle, rest)
        middle, rest = np.where(held, moved, middle), np.where(held, moved_rest, rest)
        more, more_lost = sums.add(apart * (value - (middle + rest)), squares, lost)
        squares, lost = np.where(held, more, squares), np.where(held, more_lost, lost)
    return (squares + lost) / np.maximum(size, 1), _some(windows)


def deviation(windows: Windows) -> Result:
    """The standard deviation."""
    found, held = variance(windows)
    return np.sqrt(found), held


def quantile(windows: Windows, share: Floats) -> Result:
    """The quantile of each window."""
    return _ranked(windows, lambda values, sizes, at: _quantile(values, sizes, share[at]))


def median_deviation(windows: Windows) -> Result:
    """The median distance from the median; NaN where a sample is."""

    def distance(values: Floats, sizes: Floats, at: Rows) -> Floats:
        half = np.full(len(values), 0.5)
        middle = _quantile(values, sizes, half)
        inside = np.arange(values.shape[1]) < sizes[:, None]
        apart = np.where(inside, np.abs(values - middle[:, None]), np.inf)
        found = _quantile(apart, sizes, half)
        is_nan = (np.isnan(values) & inside).any(axis=1)
        return np.where(is_nan, np.nan, found)

    return _ranked(windows, distance)


def _ranked(windows: Windows, pick: Callable[[Floats, Floats, Rows], Floats]) -> Result:
    """Something of the values of each window, in pieces that fit into memory."""
    rows, columns = np.nonzero(windows.counts)
    found = np.full(windows.counts.shape, np.nan)
    widest = int(windows.counts.max(initial=0))
    piece = max(1, QUANTILE_CELLS_MAX // max(widest, 1))
    for start in range(0, len(rows), piece):
        row, column = rows[start : start + piece], columns[start : start + piece]
        low, size = windows.low[row, column], windows.counts[row, column]
        index = low[:, None] + np.arange(int(size.max()))
        inside = index < (low + size)[:, None]
        values = np.where(inside, windows.value(index), np.inf)
        found[row, column] = pick(values, size.astype(np.float64), column)
    return found, _some(windows)


def _quantile(values: Floats, sizes: Floats, share: Floats) -> Floats:
    """By row; what lies beyond a row's size is infinite."""
    inside = np.arange(values.shape[1]) < sizes[:, None]
    lowest = (np.isnan(values) & inside).sum(axis=1)
    ranked = np.sort(np.where(np.isnan(values), -np.inf, values), axis=1)
    rank = np.clip(np.nan_to_num(share), 0, 1) * (sizes - 1)
    low = np.floor(rank).astype(np.int64)
    high = np.minimum(low + 1, (sizes - 1).astype(np.int64))
    rows = np.arange(len(values))
    below = np.where(low < lowest, np.nan, ranked[rows, low])
    above = np.where(high < lowest, np.nan, ranked[rows, high])
    weight = rank - low
    with np.errstate(invalid="ignore"):
        found = below * (1 - weight) + above * weight
    found = np.where(share < 0, -np.inf, np.where(share > 1, np.inf, found))
    return np.where(np.isnan(share), np.nan, found)


def changes(windows: Windows) -> Result:
    """How often the value changed."""
    return _transitions(windows, lambda old, new: (old != new) & ~(np.isnan(old) & np.isnan(new)))


def resets(windows: Windows) -> Result:
    """How often the value went back."""
    return _transitions(windows, lambda old, new: new < old)


def _transitions(windows: Windows, happens: Callable[[Floats, Floats], Bools]) -> Result:
    values = windows.samples.values
    moved = np.zeros(len(values) + 1)
    if len(values):
        moved[2:] = np.cumsum(happens(values[:-1], values[1:]))
    first = np.minimum(windows.low + 1, len(values))
    return moved[np.maximum(windows.high, first)] - moved[first], _some(windows)


PLAIN: Final[dict[str, Callable[[Windows], Result]]] = {
    "count_over_time": count,
    "present_over_time": present,
    "last_over_time": last,
    "first_over_time": first,
    "sum_over_time": total,
    "avg_over_time": mean,
    "max_over_time": largest,
    "min_over_time": smallest,
    "ts_of_max_over_time": when_largest,
    "ts_of_min_over_time": when_smallest,
    "ts_of_first_over_time": when_first,
    "ts_of_last_over_time": when_last,
    "stdvar_over_time": variance,
    "stddev_over_time": deviation,
    "mad_over_time": median_deviation,
    "changes": changes,
    "resets": resets,
}
