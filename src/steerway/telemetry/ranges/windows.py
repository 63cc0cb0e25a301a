"""The samples that each moment of a range function sees."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steerway.telemetry.vectors.shapes import Bools, Floats, Objects, Samples, Times


@dataclass(frozen=True, slots=True)
class Windows:
    """For series i and moment j, the samples from `low[i, j]` up to `high[i, j]`.

    `ends`: where each window ends; `length` in milliseconds; `now`: the moments of evaluation,
    which differ from the ends when there is an offset.
    """

    samples: Samples
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    ends: Times
    length: int
    now: Times

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many samples each window has."""
        return self.high - self.low

    def value(self, index: NDArray[np.int64]) -> Floats:
        """The values at some indexes; any number where there is none."""
        return _at(self.samples.values, index)

    def time(self, index: NDArray[np.int64]) -> Times:
        """The times at some indexes."""
        return _at(self.samples.times, index)

    def tiled(self, width: int) -> "Windows":
        """With a column for each moment, where all moments see the same samples."""
        shape = (len(self.low), width)
        low, high = np.broadcast_to(self.low, shape), np.broadcast_to(self.high, shape)
        ends = np.broadcast_to(self.ends, (width,))
        return Windows(self.samples, low, high, ends, self.length, self.now)

    def steps(self) -> Iterator[tuple[Bools, Floats, Times]]:
        """All windows at once, sample by sample: who has one, its value and its time."""
        for offset in range(int(self.counts.max(initial=0))):
            index = self.low + offset
            yield index < self.high, self.value(index), self.time(index)


def _at(values: NDArray[np.generic], index: NDArray[np.int64]) -> NDArray:  # type: ignore[type-arg]  # as the values
    if not len(values):
        return np.zeros(index.shape, values.dtype)
    return values[np.minimum(index, len(values) - 1)]


def windows(samples: Samples, ends: Times, length: int, now: Times) -> Windows:
    """The windows of some length that end at `ends`, open on the left."""
    size = len(samples.starts) - 1
    low = np.empty((size, len(ends)), np.int64)
    high = np.empty_like(low)
    for row in range(size):
        start, end = int(samples.starts[row]), int(samples.starts[row + 1])
        times = samples.times[start:end]
        low[row] = start + np.searchsorted(times, ends - length, "right")
        high[row] = start + np.searchsorted(times, ends, "right")
    return Windows(samples, low, high, ends, length, now)


def part(samples: Samples, keep: Bools) -> Samples:
    """Only the samples that `keep` says."""
    if keep.all():
        return samples
    before = np.concatenate([[0], np.cumsum(keep)])
    found: Objects | None = samples.histograms
    return Samples(
        samples.labels,
        before[samples.starts].astype(np.int64),
        samples.times[keep],
        samples.values[keep],
        samples.drops,
        None if found is None else found[keep],
    )
