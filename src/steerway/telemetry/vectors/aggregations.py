"""Many series as few: the aggregation operators."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from steerway.telemetry.vectors import sums
from steerway.telemetry.vectors.labels import NAME, Labels
from steerway.telemetry.vectors.numbers import plain
from steerway.telemetry.vectors.shapes import Bools, Floats, Scalar, Vector, empty, merged


@dataclass(frozen=True, slots=True)
class Grouping:
    """By which labels, or without which."""

    names: tuple[str, ...] = ()
    without: bool = False

    def labels(self, labels: Labels) -> Labels:
        """The labels that are left."""
        return labels.drop((*self.names, NAME)) if self.without else labels.keep(self.names)


@dataclass(frozen=True, slots=True)
class Blocks:
    """The series of a vector, group after group."""

    vector: Vector
    labels: Labels
    bounds: NDArray[np.int64]
    counts: Floats
    drops: Bools

    def numbers(self, values: Floats) -> Vector:
        """One series for each group that has a number."""
        held = self.counts > 0
        return Vector(self.labels, values, held, self.drops).where(held)

    @property
    def ends(self) -> NDArray[np.int64]:
        """Where each group ends."""
        return np.append(self.bounds[1:], self.vector.size)


def blocks(vector: Vector, grouping: Grouping, *, natives: bool = False) -> Blocks:
    """A vector sorted into groups; native histograms count only when asked for."""
    left = grouping.labels(vector.labels)
    groups, firsts = left.groups()
    order = np.argsort(groups, kind="stable").astype(np.int64)
    bounds = np.searchsorted(groups[order], np.arange(len(firsts))).astype(np.int64)
    ordered = vector.take(order)
    held = ordered.present if natives else ordered.floats
    return Blocks(
        Vector(ordered.labels, ordered.values, held, ordered.drops, ordered.histograms),
        left.take(firsts),
        bounds,
        np.add.reduceat(held, bounds, axis=0, dtype=np.float64),
        np.logical_or.reduceat(ordered.drops, bounds),
    )


def _sum(block: Blocks) -> Floats:
    vector = block.vector
    return sums.segments(np.where(vector.present, vector.values, 0.0), block.bounds)


def _avg(block: Blocks) -> Floats:
    vector = block.vector
    return sums.means(vector.values, block.counts, vector.present, block.bounds)


def _extreme(block: Blocks, pick: np.ufunc) -> Floats:
    vector = block.vector
    found: Floats = pick.reduceat(
        np.where(vector.present, vector.values, np.nan), block.bounds, axis=0
    )
    return found


def _variance(block: Blocks) -> Floats:
    vector = block.vector
    widths = block.ends - block.bounds
    apart = vector.values - np.repeat(_avg(block), widths, axis=0)
    squares = np.where(vector.present, apart * apart, 0.0)
    return np.add.reduceat(squares, block.bounds, axis=0) / block.counts


SIMPLE: Final[dict[str, Callable[[Blocks], Floats]]] = {
    "sum": _sum,
    "avg": _avg,
    "min": lambda block: _extreme(block, np.fmin),
    "max": lambda block: _extreme(block, np.fmax),
    "count": lambda block: block.counts,
    "group": lambda block: np.ones_like(block.counts),
    "stdvar": _variance,
    "stddev": lambda block: np.sqrt(_variance(block)),
}
COUNTS_NATIVES: Final = {"count", "group"}


def simple(name: str, vector: Vector, grouping: Grouping) -> Vector:
    """Sum, average, extremes, count and spread of each group."""
    if not vector.size:
        return vector
    block = blocks(vector, grouping, natives=name in COUNTS_NATIVES)
    return block.numbers(SIMPLE[name](block))


def quantile(share: Scalar, vector: Vector, grouping: Grouping) -> Vector:
    """The quantile of each group."""
    if not vector.size:
        return vector
    block = blocks(vector, grouping)
    found = np.stack(
        [
            quantiles(share.values, block.vector.values[a:b], block.vector.present[a:b])
            for a, b in zip(block.bounds, block.ends, strict=True)
        ]
    )
    return block.numbers(found)


def quantiles(share: Floats, values: Floats, present: Bools) -> Floats:
    """The quantile of each column; NaN counts as the smallest number."""
    numbers = np.where(np.isnan(values), -np.inf, values)
    ranked = np.sort(np.where(present, numbers, np.inf), axis=0)
    size = present.sum(axis=0)
    lowest = (present & np.isnan(values)).sum(axis=0)
    clipped = np.clip(np.nan_to_num(share), 0, 1)
    rank = clipped * np.maximum(size - 1, 0)
    low = np.floor(rank).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(size - 1, 0))
    columns = np.arange(values.shape[1])
    weight = rank - low
    below = np.where(low < lowest, np.nan, ranked[low, columns])
    above = np.where(high < lowest, np.nan, ranked[high, columns])
    found = below * (1 - weight) + above * weight
    found = np.where(share < 0, -np.inf, np.where(share > 1, np.inf, found))
    return np.where(np.isnan(share) | (size == 0), np.nan, found)


def highest(name: str, count: Scalar, vector: Vector, grouping: Grouping) -> Vector:
    """The largest or smallest series of each group; the largest come first.

    Series keep their labels. A NaN is chosen last.
    """
    if not vector.size:
        return vector
    block = blocks(vector, grouping)
    sign = -1.0 if name == "topk" else 1.0
    held = np.zeros_like(block.vector.present)
    orders = []
    for a, b in zip(block.bounds, block.ends, strict=True):
        values = sign * block.vector.values[a:b]
        places = np.where(np.isnan(values), 1, 0) + np.where(block.vector.present[a:b], 0, 2)
        order = np.lexsort((np.where(np.isnan(values), 0.0, values), places), axis=0)
        rank = np.argsort(order, axis=0, kind="stable")
        held[a:b] = block.vector.present[a:b] & (rank < count.values)
        orders.append(a + order[:, 0])
    found = Vector(block.vector.labels, block.vector.values, held, block.vector.drops).take(
        np.concatenate(orders)
    )
    return found.where(found.present)


def limited(count: Scalar, vector: Vector, grouping: Grouping) -> Vector:
    """The first series of each group."""
    if not vector.size:
        return vector
    block = blocks(vector, grouping, natives=True)
    held = np.zeros_like(block.vector.present)
    for a, b in zip(block.bounds, block.ends, strict=True):
        rank = np.cumsum(block.vector.present[a:b], axis=0)
        held[a:b] = block.vector.present[a:b] & (rank <= count.values)
    return block.vector.where(held)


def count_values(label: str, vector: Vector, grouping: Grouping) -> Vector:
    """How many series of each group have the same value, by that value."""
    symbols = vector.labels.symbols
    if not vector.size:
        return vector
    rows, columns = np.nonzero(vector.floats)
    numbers = vector.values[rows, columns]
    distinct, inverse = np.unique(numbers.view(np.uint64), return_inverse=True)
    texts = symbols.encode([plain(float(number)) for number in distinct.view(np.float64)])
    named = vector.labels.take(rows.astype(np.int64)).replace(label, texts[inverse.reshape(-1)])
    left = Grouping((*grouping.names, label), without=False).labels(named)
    if grouping.without:
        left = named.drop([name for name in (*grouping.names, NAME) if name != label])
    groups, firsts = left.groups()
    counts = np.zeros((len(firsts), vector.width))
    np.add.at(counts, (groups, columns), 1.0)
    if not len(firsts):
        return empty(symbols, vector.width)
    drops = np.zeros(len(firsts), np.bool_)
    return merged(Vector(left.take(firsts), counts, counts > 0, drops))
