"""Range vectors: of selectors and of subqueries, and functions over them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from steerway.telemetry.ranges import native_over_time, over_time, rates
from steerway.telemetry.ranges.over_time import Result
from steerway.telemetry.ranges.windows import Windows, part, windows
from steerway.telemetry.vectors.shapes import (
    NOTHING,
    Bools,
    Grid,
    Objects,
    Samples,
    Vector,
    are_natives,
)

KEEPS_NAMES = {"last_over_time", "first_over_time"}
FUNCTIONS = {**over_time.PLAIN, **rates.RATES}


@dataclass(frozen=True, slots=True)
class Range:
    """Samples, and the windows over them: ends at `grid`, or at one moment for all of it."""

    samples: Samples
    grid: Grid
    ends: Grid
    length: int

    @property
    def windows(self) -> Windows:
        """One column, where all moments see the same samples."""
        now = self.grid.times
        return windows(self.samples, self.ends.times, self.length, now)


def applied(name: str, found: Range, compute: Callable[[Windows], Result] | None = None) -> Vector:
    """A range function as a vector over the grid."""
    samples = found.samples
    if samples.histograms is None:
        return _numbers(name, found, samples, compute)
    is_native = are_natives(samples.histograms)
    floats = replace(found, samples=part(samples, ~is_native))
    numbers = _numbers(name, floats, samples, compute)
    natives = native_over_time.applied(
        name, replace(found, samples=part(samples, is_native)).windows
    )
    return _mixed(name, numbers, natives, found, samples)


def _numbers(
    name: str, found: Range, all_: Samples, compute: Callable[[Windows], Result] | None
) -> Vector:
    values, present = (compute or FUNCTIONS[name])(found.windows)
    present = np.broadcast_to(present, values.shape)
    drops = all_.drops if name in KEEPS_NAMES else np.ones(all_.labels.size, np.bool_)
    return Vector(all_.labels, values, present, drops).tiled(found.grid.size)


def _mixed(
    name: str, numbers: Vector, natives: Vector | None, found: Range, samples: Samples
) -> Vector:
    """Numbers and histograms of the same series; where a window has both, only some functions."""
    whole = replace(found, samples=samples).windows
    if name in native_over_time.COUNTING:
        values, present = native_over_time.COUNTING[name](whole)
        return Vector(samples.labels, values, present, numbers.drops).tiled(found.grid.size)
    if natives is None:
        return numbers.where(numbers.present)
    both = numbers.present & natives.present
    if name in KEEPS_NAMES:
        newer = _newer(name, whole)
        held = natives.present & newer
        newest: Objects = np.asarray(np.where(held, natives.histograms, NOTHING))
        return replace(numbers, present=numbers.present | held, histograms=newest)
    sizes = _has_floats(found, samples)
    held = natives.present & ~sizes
    lost = _has_natives(found, samples) & numbers.present
    histograms: Objects = np.asarray(np.where(held, natives.histograms, NOTHING))
    present = (numbers.present & ~both & ~lost) | held
    return replace(numbers, present=present, histograms=histograms)


def _newer(name: str, whole: Windows) -> Bools:
    at = whole.low if name == "first_over_time" else np.maximum(whole.high - 1, 0)
    assert whole.samples.histograms is not None
    picked = whole.samples.histograms[np.minimum(at, max(len(whole.samples.values) - 1, 0))]
    return are_natives(picked) & (whole.counts > 0)


def _has_floats(found: Range, samples: Samples) -> Bools:
    assert samples.histograms is not None
    kept = part(samples, ~are_natives(samples.histograms))
    return replace(found, samples=kept).windows.counts > 0


def _has_natives(found: Range, samples: Samples) -> Bools:
    assert samples.histograms is not None
    kept = part(samples, are_natives(samples.histograms))
    return replace(found, samples=kept).windows.counts > 0
