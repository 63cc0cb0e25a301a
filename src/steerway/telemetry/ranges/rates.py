"""Range functions that compare samples over time: rates, trends and forecasts."""

from collections.abc import Callable
from typing import Final

import numpy as np

from steerway.telemetry.ranges.errors import FactorInvalid
from steerway.telemetry.ranges.over_time import Result
from steerway.telemetry.ranges.windows import Windows
from steerway.telemetry.vectors import sums
from steerway.telemetry.vectors.shapes import Bools, Floats

# A window is taken to be covered to its edge when the next sample would have come that late.
EXTRAPOLATED: Final = 1.1


def factor(
    windows: Windows, first: Floats | None, grown: Floats | None, length: int
) -> tuple[Floats, Bools]:
    """What a difference between the outermost samples is multiplied with, to cover the window.

    `first` and `grown`, when given, are those of a counter, which was not below zero before.
    """
    counts = windows.counts
    held = counts > 1
    began, ended = windows.time(windows.low), windows.time(np.maximum(windows.high - 1, 0))
    sampled = (ended - began) / 1000
    apart = sampled / np.maximum(counts - 1, 1)
    to_start = (began - (windows.ends - windows.length)) / 1000
    to_end = (windows.ends - ended) / 1000
    to_start = np.where(to_start >= apart * EXTRAPOLATED, apart / 2, to_start)
    if first is not None and grown is not None:
        to_zero = np.where((grown > 0) & (first >= 0), sampled * (first / grown), to_start)
        to_start = np.minimum(to_zero, to_start)
    to_end = np.where(to_end >= apart * EXTRAPOLATED, apart / 2, to_end)
    covered = np.where(sampled != 0, (sampled + to_start + to_end) / sampled, 1.0)
    return covered / (length / 1000 if length else 1.0), held


def _difference(windows: Windows, *, is_counter: bool) -> Floats:
    """The last value minus the first one; a counter that went back began again at zero."""
    values = windows.samples.values
    last = windows.value(np.maximum(windows.high - 1, 0))
    found = last - windows.value(windows.low)
    if not is_counter or not len(values):
        return found
    dropped = np.where(values[1:] < values[:-1], values[:-1], 0.0)
    if not dropped.any():
        return found
    finite = np.isfinite(dropped)
    lost = np.concatenate([[0.0, 0.0], np.cumsum(np.where(finite, dropped, 0.0))])
    first = np.minimum(windows.low + 1, len(values))
    top = np.maximum(windows.high, first)
    found = found + (lost[top] - lost[first])
    if not finite.all():
        endless = np.concatenate([[0, 0], np.cumsum(~finite)])
        found = np.where(endless[top] > endless[first], np.inf, found)
    return found


def rate(windows: Windows) -> Result:
    """How fast a counter grows, each second."""
    return _grown(windows, windows.length)


def increase(windows: Windows) -> Result:
    """By how much a counter grows."""
    return _grown(windows, 0)


def _grown(windows: Windows, length: int) -> Result:
    grown = _difference(windows, is_counter=True)
    by, held = factor(windows, windows.value(windows.low), grown, length)
    return grown * by, held


def delta(windows: Windows) -> Result:
    """By how much a gauge changes."""
    by, held = factor(windows, None, None, 0)
    return _difference(windows, is_counter=False) * by, held


def instant_rate(windows: Windows) -> Result:
    """How fast a counter grew between its last two samples, each second."""
    new, old, seconds = _last_two(windows)
    return np.where(new < old, new, new - old) / seconds, windows.counts > 1


def instant_delta(windows: Windows) -> Result:
    """The difference between the last two samples."""
    new, old, _ = _last_two(windows)
    return new - old, windows.counts > 1


def _last_two(windows: Windows) -> tuple[Floats, Floats, Floats]:
    after, before = np.maximum(windows.high - 1, 0), np.maximum(windows.high - 2, 0)
    seconds = (windows.time(after) - windows.time(before)) / 1000
    return windows.value(after), windows.value(before), seconds


def _line(windows: Windows, origin: Floats) -> tuple[Floats, Floats]:
    """Slope and value at the origin of the straight line nearest to the samples."""
    shape = windows.counts.shape
    zero = np.zeros(shape)
    sums_ = [(zero, zero)] * 4
    start = windows.value(windows.low)
    is_flat = np.ones(shape, np.bool_)
    for held, value, time in windows.steps():
        x = (time - origin) / 1000
        is_flat &= ~held | (value == start)
        terms = (x, value, x * value, x * x)
        added = [sums.add(term, *pair) for term, pair in zip(terms, sums_, strict=True)]
        sums_ = [
            (np.where(held, new[0], old[0]), np.where(held, new[1], old[1]))
            for new, old in zip(added, sums_, strict=True)
        ]
    size = np.maximum(windows.counts, 1)
    x, y, xy, xx = (pair[0] + pair[1] for pair in sums_)
    slope = (xy - x * y / size) / (xx - x * x / size)
    meets = y / size - slope * x / size
    flat = np.where(np.isinf(start), np.nan, 0.0)
    return np.where(is_flat, flat, slope), np.where(is_flat, start + flat, meets)


def derivative(windows: Windows) -> Result:
    """The slope of a gauge, each second."""
    return _line(windows, windows.time(windows.low).astype(np.float64))[0], windows.counts > 1


def forecast(windows: Windows, seconds: Floats) -> Result:
    """The value that a gauge has so many seconds from now, should it go on in a straight line."""
    slope, now = _line(windows, windows.now.astype(np.float64)[None, :])
    return slope * seconds + now, windows.counts > 1


def smoothed(windows: Windows, level: Floats, trend: Floats) -> Result:
    """The value smoothed twice, by level and trend.

    Raises:
        FactorInvalid: a factor is not between 0 and 1.
    """
    for name, factors in (("smoothing", level), ("trend", trend)):
        bad = factors[(factors <= 0) | (factors >= 1)]
        if len(bad) and len(windows.low):
            symbol = "sf" if name == "smoothing" else "tf"
            raise FactorInvalid(name=name, symbol=symbol, found=float(bad[0]))
    old = np.zeros(windows.counts.shape)
    new = windows.value(windows.low)
    slope = windows.value(windows.low + 1) - new
    for step, (held, value, _) in enumerate(windows.steps()):
        if step == 0:
            continue
        if step > 1:
            slope = np.where(held, trend * (new - old) + (1 - trend) * slope, slope)
        found = level * value + (1 - level) * (new + slope)
        old, new = np.where(held, new, old), np.where(held, found, new)
    return new, windows.counts > 1


RATES: Final[dict[str, Callable[[Windows], Result]]] = {
    "rate": rate,
    "increase": increase,
    "delta": delta,
    "irate": instant_rate,
    "idelta": instant_delta,
    "deriv": derivative,
}
