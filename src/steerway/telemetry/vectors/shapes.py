"""Grids of moments, and what has a value at them."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from steerway.telemetry.vectors.errors import Duplicate
from steerway.telemetry.vectors.labels import NAME, Labels, Rows, Symbols, joined

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Bools = NDArray[np.bool_]
Objects = NDArray[Any]

# Prometheus' mark that a series ended: a NaN with these bits, unlike any that a sum makes.
STALE_BITS: Final = 0x7FF0000000000002
STALE: Final = np.array([STALE_BITS], np.uint64).view(np.float64)[0]


NOTHING: Final[Any] = None


def are_natives(objects: Objects) -> Bools:
    """Where there is a native histogram."""
    found: Bools = np.not_equal(objects, NOTHING)
    return found


@dataclass(frozen=True, slots=True)
class Grid:
    """Moments at equal distance, in milliseconds since 1970. A single moment has any step."""

    start: int
    end: int
    step: int

    @property
    def size(self) -> int:
        """How many moments."""
        return (self.end - self.start) // self.step + 1 if self.end >= self.start else 0

    @property
    def times(self) -> Times:
        """The moments."""
        return self.start + self.step * np.arange(self.size, dtype=np.int64)

    @property
    def last(self) -> int:
        """The last moment, which may be before the end."""
        return self.start + self.step * (self.size - 1)

    def moved(self, milliseconds: int) -> "Grid":
        """The same grid, later."""
        return Grid(self.start + milliseconds, self.end + milliseconds, self.step)


def moment(at: int) -> Grid:
    """The grid of one moment."""
    return Grid(at, at, 1)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number at each moment."""

    values: Floats


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    text: str


@dataclass(frozen=True, slots=True)
class Vector:
    """A row for each series, a column for each moment.

    `present` says where there is a value at all; what `values` holds elsewhere means nothing.
    `drops`: the series loses its metric's name at the end of the query. `histograms` holds
    native histograms where a value is one, None elsewhere; most vectors have none.
    """

    labels: Labels
    values: Floats
    present: Bools
    drops: Bools
    histograms: Objects | None = None

    @property
    def size(self) -> int:
        """How many series."""
        return self.labels.size

    @property
    def width(self) -> int:
        """How many moments."""
        return int(self.values.shape[1])

    @property
    def floats(self) -> Bools:
        """Where there is a number, and not a histogram."""
        return self.present if self.histograms is None else self.present & ~self.natives

    @property
    def natives(self) -> Bools:
        """Where there is a native histogram."""
        if self.histograms is None:
            return np.zeros_like(self.present)
        return self.present & are_natives(self.histograms)

    def take(self, rows: Rows | Bools) -> "Vector":
        """Some of the series."""
        found = self.histograms
        return Vector(
            self.labels.take(rows),
            self.values[rows],
            self.present[rows],
            self.drops[rows],
            None if found is None else found[rows],
        )

    def where(self, present: Bools) -> "Vector":
        """Only the values where `present` says so; series without any are gone."""
        rows: Bools = np.asarray(present.any(axis=1))
        found = replace(self, present=present)
        return found if rows.all() else found.take(rows)

    def numbers(self, values: Floats, present: Bools | None = None) -> "Vector":
        """Other numbers of the same series, whose names are dropped; histograms are gone."""
        kept = self.floats if present is None else present & self.floats
        found = Vector(self.labels, values, kept, np.ones(self.size, np.bool_))
        return found.where(kept)

    def named(self, labels: Labels, drops: Bools | None = None) -> "Vector":
        """The same values by other labels."""
        return replace(self, labels=labels, drops=self.drops if drops is None else drops)

    def tiled(self, width: int) -> "Vector":
        """One moment, repeated."""
        if self.width == width:
            return self
        found = self.histograms
        return replace(
            self,
            values=np.repeat(self.values, width, axis=1),
            present=np.repeat(self.present, width, axis=1),
            histograms=None if found is None else np.repeat(found, width, axis=1),
        )


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples as they were taken, series after series, each in the order of time.

    The samples of series `i` are those from `starts[i]` up to `starts[i + 1]`.
    """

    labels: Labels
    starts: Rows
    times: Times
    values: Floats
    drops: Bools
    histograms: Objects | None = None


def empty(symbols: Symbols, width: int) -> Vector:
    """No series."""
    return Vector(
        Labels(symbols, {}, 0),
        np.zeros((0, width)),
        np.zeros((0, width), np.bool_),
        np.zeros(0, np.bool_),
    )


def single(symbols: Symbols, values: Floats, present: Bools | None = None) -> Vector:
    """One series without labels."""
    kept = np.ones((1, len(values)), np.bool_) if present is None else present.reshape(1, -1)
    return Vector(Labels(symbols, {}, 1), values.reshape(1, -1), kept, np.zeros(1, np.bool_)).where(
        kept
    )


def stacked(vectors: list[Vector]) -> Vector:
    """The series of several vectors, one after the other."""
    if len(vectors) == 1:
        return vectors[0]
    symbols = vectors[0].labels.symbols
    return Vector(
        joined(symbols, [one.labels for one in vectors]),
        np.concatenate([one.values for one in vectors]),
        np.concatenate([one.present for one in vectors]),
        np.concatenate([one.drops for one in vectors]),
        _stacked_histograms(vectors),
    )


def _stacked_histograms(vectors: list[Vector]) -> Objects | None:
    if all(one.histograms is None for one in vectors):
        return None
    return np.concatenate(
        [
            np.full(one.values.shape, NOTHING, object) if one.histograms is None else one.histograms
            for one in vectors
        ]
    )


def merged(vector: Vector) -> Vector:
    """Series with equal labels as one, where they have values at different moments.

    Raises:
        Duplicate: two of them have a value at the same moment.
    """
    groups, firsts = vector.labels.groups()
    if len(firsts) == vector.size:
        return vector
    order = np.argsort(groups, kind="stable")
    bounds = np.searchsorted(groups[order], np.arange(len(firsts)))
    present = vector.present[order]
    if (np.add.reduceat(present.astype(np.int32), bounds, axis=0) > 1).any():
        raise Duplicate
    rows, columns = np.nonzero(vector.present)
    values = np.zeros((len(firsts), vector.width))
    values[groups[rows], columns] = vector.values[rows, columns]
    held = np.zeros(values.shape, np.bool_)
    held[groups[rows], columns] = True
    histograms = None
    if vector.histograms is not None:
        histograms = np.full(values.shape, NOTHING, object)
        histograms[groups[rows], columns] = vector.histograms[rows, columns]
    return Vector(vector.labels.take(firsts), values, held, vector.drops[firsts], histograms)


def unnamed(vector: Vector) -> Vector:
    """With the names gone that are to be dropped.

    Raises:
        Duplicate: series that differed only by name have a value at the same moment.
    """
    if not vector.drops.any():
        return vector
    named = vector.labels.without_names(vector.drops)
    if NAME not in vector.labels.columns:
        return vector
    return merged(vector.named(named, np.zeros(vector.size, np.bool_)))


def samples_of(vector: Vector, times: Times) -> Samples:
    """The values of a vector as samples of its moments."""
    rows, columns = np.nonzero(vector.present)
    found = vector.histograms
    return Samples(
        vector.labels,
        np.searchsorted(rows, np.arange(vector.size + 1)).astype(np.int64),
        times[columns],
        vector.values[rows, columns],
        vector.drops,
        None if found is None else found[rows, columns],
    )
