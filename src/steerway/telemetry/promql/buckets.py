"""Quantiles and fractions of histograms, classic and native."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from steerway.telemetry.vectors import native
from steerway.telemetry.vectors.labels import Labels, Rows
from steerway.telemetry.vectors.shapes import Bools, Floats, Scalar, Vector, empty, stacked

BUCKET: Final = "le"
# Differences that small between buckets come from rounding.
TOLERANCE: Final = 1e-12
BUCKETS_MIN: Final = 2


@dataclass(frozen=True, slots=True)
class Histograms:
    """Histograms with the same bounds: `counts` by histogram, bucket and moment."""

    labels: Labels
    drops: Bools
    bounds: Floats
    counts: Floats
    present: Bools


Cells = Callable[[Floats, Floats, Rows], Floats]  # bounds, counts by bucket and cell, columns


def quantile(share: Scalar, vector: Vector) -> Vector:
    """The value below which a share of the observations lies."""
    return _classic_and_native(
        vector,
        lambda bounds, counts, columns: _quantiles(share.values[columns], bounds, counts),
        lambda histogram, column: native.quantile(float(share.values[column]), histogram),
    )


def fraction(lower: Scalar, upper: Scalar, vector: Vector) -> Vector:
    """The share of the observations between two values."""
    return _classic_and_native(
        vector,
        lambda bounds, counts, columns: _fractions(
            lower.values[columns], upper.values[columns], bounds, counts
        ),
        lambda histogram, column: native.fraction(
            float(lower.values[column]), float(upper.values[column]), histogram
        ),
    )


def of_natives(vector: Vector, number: Callable[[native.Histogram], float]) -> Vector:
    """A number of each native histogram; other values are gone."""
    return _natives(vector, lambda histogram, _: number(histogram))


def _natives(vector: Vector, number: Callable[[native.Histogram, int], float]) -> Vector:
    held = vector.natives
    values = np.zeros(vector.values.shape)
    if vector.histograms is not None:
        for row, column in zip(*np.nonzero(held), strict=True):
            values[row, column] = number(vector.histograms[row, column], int(column))
    drops = np.ones(vector.size, np.bool_)
    return Vector(vector.labels, values, held, drops).where(held)


def _classic_and_native(
    vector: Vector, cells: Cells, number: Callable[[native.Histogram, int], float]
) -> Vector:
    parts = [_computed(found, cells) for found in _histograms(vector)]
    if vector.histograms is not None:
        parts.append(_natives(vector, number))
        return _unmixed(stacked(parts))
    return stacked(parts) if parts else empty(vector.labels.symbols, vector.width)


def _unmixed(vector: Vector) -> Vector:
    """A histogram that is classic and native at the same moment is neither."""
    groups, firsts = vector.labels.groups()
    seen = np.zeros((len(firsts), vector.width), np.int32)
    np.add.at(seen, groups, vector.present.astype(np.int32))
    return vector.where(vector.present & (seen[groups] == 1))


def _histograms(vector: Vector) -> list[Histograms]:
    """The classic histograms of a vector, those with the same bounds together."""
    ends = _bounds(vector)
    rows = np.flatnonzero(~np.isnan(ends) & vector.floats.any(axis=1)).astype(np.int64)
    if not len(rows):
        return []
    buckets, ends = vector.take(rows), ends[rows]
    groups, firsts = buckets.labels.drop([BUCKET]).groups()
    layouts: dict[bytes, list[int]] = {}
    order = np.lexsort((ends, groups))
    starts = np.searchsorted(groups[order], np.arange(len(firsts) + 1))
    for number in range(len(firsts)):
        members = order[starts[number] : starts[number + 1]]
        layouts.setdefault(ends[members].tobytes(), []).append(number)
    left = buckets.labels.drop([BUCKET])
    found = []
    for numbers in layouts.values():
        members = np.stack([order[starts[n] : starts[n + 1]] for n in numbers])
        first = firsts[np.array(numbers)]
        found.append(
            Histograms(
                left.take(first),
                np.ones(len(first), np.bool_),
                ends[members[0]],
                buckets.values[members],
                buckets.floats[members],
            )
        )
    return found


def _bounds(vector: Vector) -> Floats:
    """The upper bound of each series; NaN where it is no bucket."""
    codes, inverse = np.unique(vector.labels.column(BUCKET), return_inverse=True)
    texts = vector.labels.symbols.decode(codes.astype(np.int32))
    return np.array([_number(text) for text in texts], np.float64)[inverse.reshape(-1)]


def _number(text: str) -> float:
    try:
        return float(text.replace("_", "x"))
    except ValueError:
        return np.nan


def _computed(found: Histograms, cells: Cells) -> Vector:
    """A number for each histogram and moment at which any of its buckets is there."""
    held: Bools = np.asarray(found.present.any(axis=1))
    values = np.full(held.shape, np.nan)
    whole = found.present.all(axis=1)
    rows, columns = np.nonzero(whole)
    if len(rows):
        counts = np.moveaxis(found.counts, 1, 0)[:, whole]
        values[whole] = _coalesced(found.bounds, counts, columns, cells)
    for row, column in np.argwhere(held & ~whole):
        there = found.present[row, :, column]
        counts = found.counts[row, there, column][:, None]
        values[row, column] = _coalesced(found.bounds[there], counts, np.array([column]), cells)[0]
    return Vector(found.labels, values, held, found.drops)


def _coalesced(bounds: Floats, counts: Floats, columns: Rows, cells: Cells) -> Floats:
    """Buckets with the same bound count as one; without one that has no end, nothing is known."""
    if not np.isposinf(bounds[-1]):
        return cells(bounds, counts * np.nan, columns)
    distinct, first = np.unique(bounds, return_index=True)
    if len(distinct) < len(bounds):
        counts = np.add.reduceat(counts, first, axis=0)
    return cells(distinct, counts, columns)


def _monotonic(counts: Floats) -> Floats:
    """Counts that never fall from one bucket to the next, and do not rise by rounding alone."""
    found = counts.copy()
    for index in range(1, len(found)):
        before, after = found[index - 1], found[index]
        near = np.abs(before - after) <= TOLERANCE * (np.abs(before) + np.abs(after))
        found[index] = np.where((after < before) | near, before, after)
    return found


def _quantiles(share: Floats, bounds: Floats, counts: Floats) -> Floats:
    """By cell, interpolated within a bucket as if observations were spread evenly."""
    cumulated = _monotonic(counts)
    total = cumulated[-1]
    rank = share * total
    cell = np.arange(len(total))
    index = np.minimum((cumulated[:-1] < rank).sum(axis=0), len(bounds) - 1)
    before = np.maximum(index - 1, 0)
    is_first = index == 0
    start = np.where(is_first, 0.0, bounds[before])
    seen = np.where(is_first, 0.0, cumulated[before, cell])
    width = np.where(np.isposinf(bounds[index]), 0.0, bounds[index] - start)
    found = start + width * ((rank - seen) / (cumulated[index, cell] - seen))
    found = np.where(is_first & (bounds[0] <= 0), bounds[0], found)
    last = bounds[-2] if len(bounds) > 1 else np.nan
    found = np.where(index == len(bounds) - 1, last, found)
    found = np.where((total == 0) | np.isnan(total) | (len(bounds) < BUCKETS_MIN), np.nan, found)
    found = np.where(share < 0, -np.inf, np.where(share > 1, np.inf, found))
    return np.where(np.isnan(share), np.nan, found)


def _fractions(lower: Floats, upper: Floats, bounds: Floats, counts: Floats) -> Floats:
    total = counts[-1]
    below = np.array([_rank(x, bounds, counts[:, i]) for i, x in enumerate(lower)])
    above = np.array([_rank(x, bounds, counts[:, i]) for i, x in enumerate(upper)])
    found = (np.minimum(above, total) - np.minimum(below, total)) / total
    found = np.where(lower >= upper, 0.0, found)
    lost = (total == 0) | np.isnan(total) | np.isnan(lower) | np.isnan(upper)
    return np.where(lost, np.nan, found)


def _rank(value: float, bounds: Floats, counts: Floats) -> float:
    """How many observations lie below a value."""
    low, seen = (0.0 if bounds[0] > 0 else -np.inf), 0.0
    for high, count in zip(bounds, counts, strict=True):
        if low >= value:
            return seen
        if high > value:
            if np.isneginf(low):
                return float(count)
            return float(seen + (count - seen) * (value - low) / (high - low))
        low, seen = float(high), float(count)
    return float(counts[-1])
