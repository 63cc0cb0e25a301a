"""Native histograms: buckets whose bounds grow exponentially.

Source: Prometheus, Native Histograms specification; OpenTelemetry, Exponential histogram.
A bucket of `schema` s at index i ends at 2 ** (i * 2 ** -s).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
NONE: Final = np.zeros(0)
NOTHING: Final[Any] = None


@dataclass(frozen=True, slots=True)
class Histogram:
    """One native histogram. `positive` holds the counts of neighbouring buckets from its offset."""

    schema: int
    zero_threshold: float
    zero_count: float
    count: float
    sum: float
    positive_offset: int
    positive: Counts
    negative_offset: int
    negative: Counts

    def scaled(self, factor: float) -> "Histogram":
        """Every count and the sum, times a number."""
        return replace(
            self,
            zero_count=self.zero_count * factor,
            count=self.count * factor,
            sum=self.sum * factor,
            positive=self.positive * factor,
            negative=self.negative * factor,
        )

    def plus(self, other: "Histogram", sign: float = 1.0) -> "Histogram":
        """Both together, at the coarser of their resolutions."""
        schema = min(self.schema, other.schema)
        threshold = max(self.zero_threshold, other.zero_threshold)
        mine = self.at(schema).widened(threshold)
        theirs = other.at(schema).widened(threshold)
        up = _added(
            mine.positive_offset, mine.positive, theirs.positive_offset, theirs.positive, sign
        )
        down = _added(
            mine.negative_offset, mine.negative, theirs.negative_offset, theirs.negative, sign
        )
        return Histogram(
            schema,
            threshold,
            mine.zero_count + sign * theirs.zero_count,
            self.count + sign * other.count,
            self.sum + sign * other.sum,
            *up,
            *down,
        )

    def at(self, schema: int) -> "Histogram":
        """At a coarser resolution."""
        if schema == self.schema:
            return self
        shift = self.schema - schema
        up, positive = _coarse(self.positive_offset, self.positive, shift)
        down, negative = _coarse(self.negative_offset, self.negative, shift)
        return replace(
            self,
            schema=schema,
            positive_offset=up,
            positive=positive,
            negative_offset=down,
            negative=negative,
        )

    def widened(self, threshold: float) -> "Histogram":
        """With a zero bucket at least this wide; buckets that begin in it become part of it."""
        if threshold <= self.zero_threshold:
            return self
        up, positive, a = _cut(self.schema, self.positive_offset, self.positive, threshold)
        down, negative, b = _cut(self.schema, self.negative_offset, self.negative, threshold)
        return replace(
            self,
            zero_threshold=threshold,
            zero_count=self.zero_count + a + b,
            positive_offset=up,
            positive=positive,
            negative_offset=down,
            negative=negative,
        )

    def is_reset_after(self, before: "Histogram") -> bool:
        """Whether a counter began anew: something that cannot go back did."""
        if self.schema > before.schema or self.zero_threshold < before.zero_threshold:
            return True
        was = before.at(self.schema).widened(self.zero_threshold)
        if self.count < was.count or self.zero_count < was.zero_count:
            return True
        up = _added(self.positive_offset, self.positive, was.positive_offset, was.positive, -1.0)
        down = _added(self.negative_offset, self.negative, was.negative_offset, was.negative, -1.0)
        return bool((up[1] < 0).any() or (down[1] < 0).any())

    def same(self, other: "Histogram") -> bool:
        """Whether both hold the same observations in the same buckets."""
        if (self.schema, self.count, self.zero_count) != (
            other.schema,
            other.count,
            other.zero_count,
        ) or self.zero_threshold != other.zero_threshold:
            return False
        if self.sum != other.sum and not (np.isnan(self.sum) and np.isnan(other.sum)):
            return False
        rest = self.plus(other, -1.0)
        return not rest.positive.any() and not rest.negative.any()

    def buckets(self) -> Iterator[tuple[float, float, float]]:
        """Lower bound, upper bound and count of each bucket that has any, from below."""
        for index in range(len(self.negative) - 1, -1, -1):
            if self.negative[index]:
                low, high = self._bounds(self.negative_offset + index)
                yield -high, -low, float(self.negative[index])
        if self.zero_count:
            yield -self.zero_threshold, self.zero_threshold, self.zero_count
        for index, count in enumerate(self.positive):
            if count:
                yield (*self._bounds(self.positive_offset + index), float(count))

    def _bounds(self, index: int) -> tuple[float, float]:
        return bound(self.schema, index - 1), bound(self.schema, index)

    @property
    def is_positive_only(self) -> bool:
        """Nothing below zero."""
        return not self.negative.any()

    @property
    def is_negative_only(self) -> bool:
        """Nothing above zero."""
        return not self.positive.any()


def bound(schema: int, index: int) -> float:
    """Where the bucket at an index ends."""
    return float(np.exp2(index * 2.0**-schema))


def quantile(share: float, histogram: Histogram) -> float:
    """The value below which a share of the observations lies."""
    if np.isnan(share) or histogram.count == 0:
        return float("nan")
    if share < 0 or share > 1:
        return float("-inf") if share < 0 else float("inf")
    rank, seen = share * histogram.count, 0.0
    low = high = count = 0.0
    found = list(histogram.buckets())
    for low, high, count in found:  # noqa: B007 -- the last one is needed below
        seen += count
        if seen >= rank:
            break
    if not found:
        return float("nan")
    low, high = _zero_sided(histogram, low, high)
    if seen < rank:
        return float("nan") if np.isnan(histogram.sum) else high
    return _within(histogram, low, high, (rank - (seen - count)) / count)


def _zero_sided(histogram: Histogram, low: float, high: float) -> tuple[float, float]:
    """The zero bucket ends at zero on a side where nothing was observed."""
    if low < 0 < high:
        if histogram.is_positive_only and histogram.positive.any():
            return 0.0, high
        if histogram.is_negative_only and histogram.negative.any():
            return low, 0.0
    return low, high


def _within(histogram: Histogram, low: float, high: float, share: float) -> float:
    if low <= 0 <= high:
        return low + (high - low) * share  # the zero bucket is linear
    if high <= 0:
        return -float(np.exp2(np.log2(-low) + (np.log2(-high) - np.log2(-low)) * share))
    return float(np.exp2(np.log2(low) + (np.log2(high) - np.log2(low)) * share))


def fraction(lower: float, upper: float, histogram: Histogram) -> float:
    """The share of observations between two values."""
    if histogram.count == 0 or np.isnan(lower) or np.isnan(upper):
        return float("nan")
    if lower >= upper:
        return 0.0
    return (_rank(upper, histogram) - _rank(lower, histogram)) / histogram.count


def _rank(value: float, histogram: Histogram) -> float:
    """How many observations lie below a value."""
    if value == np.inf:
        return sum(count for _, _, count in histogram.buckets())
    seen = 0.0
    for start, end, count in histogram.buckets():
        low, high = _zero_sided(histogram, start, end)
        if value >= high:
            seen += count
            continue
        if value <= low:
            return seen
        if low <= 0 <= high:
            return seen + count * (value - low) / (high - low)
        a, b, x = np.log2(abs(low)), np.log2(abs(high)), np.log2(abs(value))
        return seen + count * float((x - a) / (b - a))
    return seen


def variance(histogram: Histogram) -> float:
    """The spread, as if all observations of a bucket lay in its middle."""
    if histogram.count == 0 or np.isnan(histogram.sum):
        return float("nan")
    mean, total = histogram.sum / histogram.count, 0.0
    for low, high, count in histogram.buckets():
        if low <= 0 <= high:
            middle = 0.0
        else:
            middle = float(np.sqrt(low * high)) * (1.0 if high > 0 else -1.0)
        total += count * (middle - mean) ** 2
    return total / histogram.count


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an operator: numbers, and histograms where there are any."""

    values: Counts
    histograms: NDArray[Any] | None


def between(
    name: str, left: Side, right: Side, held: NDArray[np.bool_], *, as_bool: bool
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The operator where at least one side is a histogram, and where there is a result at all."""
    found: NDArray[Any] = np.full(held.shape, NOTHING, object)
    kept = held.copy()
    for row, column in zip(*np.nonzero(held), strict=True):
        a = None if left.histograms is None else left.histograms[row, column]
        b = None if right.histograms is None else right.histograms[row, column]
        if a is None and b is None:
            continue
        result = _pair(name, a, b, left.values[row, column], right.values[row, column])
        if isinstance(result, bool) and as_bool:
            right.values[row, column] = left.values[row, column] = 0.0
            if result == (name == "!="):
                right.values[row, column] = 1.0
            continue
        found[row, column] = a if result is True else (result or None)
        kept[row, column] = found[row, column] is not None
    return found, kept


def _pair(
    name: str, a: Histogram | None, b: Histogram | None, x: float, y: float
) -> "Histogram | bool | None":
    if a is not None and b is not None:
        if name in ("+", "-"):
            return a.plus(b, 1.0 if name == "+" else -1.0)
        if name in ("==", "!="):
            return a.same(b) == (name == "==")
        return None
    if a is not None and name in ("*", "/"):
        return a.scaled(y if name == "*" else 1.0 / y)
    if b is not None and name == "*":
        return b.scaled(x)
    return None


def _added(a: int, mine: Counts, b: int, theirs: Counts, sign: float) -> tuple[int, Counts]:
    if not len(theirs):
        return a, mine
    if not len(mine):
        return b, sign * theirs
    start, end = min(a, b), max(a + len(mine), b + len(theirs))
    total = np.zeros(end - start)
    total[a - start : a - start + len(mine)] += mine
    total[b - start : b - start + len(theirs)] += sign * theirs
    return start, total


def _coarse(offset: int, counts: Counts, shift: int) -> tuple[int, Counts]:
    """Buckets of a coarser schema: index i goes to the one that holds its upper bound."""
    if not len(counts):
        return 0, NONE
    indexes = ((offset + np.arange(len(counts)) - 1) >> shift) + 1
    total = np.zeros(int(indexes[-1] - indexes[0] + 1))
    np.add.at(total, indexes - indexes[0], counts)
    return int(indexes[0]), total


def _cut(schema: int, offset: int, counts: Counts, threshold: float) -> tuple[int, Counts, float]:
    """What is left of buckets above a threshold, and how many observations are not."""
    cut = 0
    while cut < len(counts) and bound(schema, offset + cut - 1) < threshold:
        cut += 1
    return offset + cut, counts[cut:], float(counts[:cut].sum())
