"""Two vectors as one: arithmetic, comparison and set operators."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from steerway.telemetry.vectors import native
from steerway.telemetry.vectors.errors import Duplicate, Unmatched
from steerway.telemetry.vectors.labels import NAME, Labels, Rows, joined
from steerway.telemetry.vectors.shapes import (
    NOTHING,
    Bools,
    Floats,
    Objects,
    Vector,
    are_natives,
    empty,
    merged,
    stacked,
)

Numbers = Callable[[Floats, Floats], Floats]
Compares = Callable[[Floats, Floats], Bools]

ARITHMETIC: Final[dict[str, Numbers]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISON: Final[dict[str, Compares]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
SETS: Final = {"and", "or", "unless"}
MANY_TO_MANY: Final = (
    "found duplicate series for the match group {group} on the {side} hand-side of the operation: "
    "[{one}, {other}];many-to-many matching not allowed: matching labels must be unique on one side"
)
MANY_TO_ONE: Final = (
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
)
NOT_UNIQUE: Final = "multiple matches for labels: grouping labels must ensure unique matches"


@dataclass(frozen=True, slots=True)
class Matching:
    """How series of two sides find each other.

    `many`: the side with several series for one of the other, "left" or "right"; `include`: labels
    that the many side takes from the one side; `fill`: values for the side that has no series.
    """

    names: tuple[str, ...] = ()
    on: bool = False
    many: str = ""
    include: tuple[str, ...] = ()
    fill: tuple[float | None, float | None] = (None, None)

    def labels(self, labels: Labels) -> Labels:
        """The labels by which series match."""
        return labels.keep(self.names) if self.on else labels.drop((*self.names, NAME))


def between_numbers(name: str, left: Floats, right: Floats) -> Floats:
    """The operator between two scalars; a comparison is 1 or 0."""
    if name in ARITHMETIC:
        return ARITHMETIC[name](left, right)
    return COMPARISON[name](left, right).astype(np.float64)


def with_number(
    name: str, vector: Vector, number: Floats, *, is_left: bool, as_bool: bool
) -> Vector:
    """The operator between a vector and a scalar; `is_left`: the vector stands on the left."""
    held = vector.floats
    if name in ARITHMETIC:
        pair = (vector.values, number) if is_left else (number, vector.values)
        values = np.broadcast_to(ARITHMETIC[name](*pair), vector.values.shape)
        return _with_natives(name, vector, number, values, is_left=is_left)
    pair = (vector.values, number) if is_left else (number, vector.values)
    is_true = COMPARISON[name](*pair)
    if as_bool:
        return vector.numbers(is_true.astype(np.float64))
    return Vector(vector.labels, vector.values, held & is_true, vector.drops).where(held & is_true)


def _with_natives(
    name: str, vector: Vector, number: Floats, values: Floats, *, is_left: bool
) -> Vector:
    if vector.histograms is None:
        return vector.numbers(values)
    found: Objects = np.full(values.shape, NOTHING, object)
    if name == "*" or (name == "/" and is_left):
        for row, column in zip(*np.nonzero(vector.natives), strict=True):
            scale = number[column] if name == "*" else 1.0 / np.float64(number[column])
            found[row, column] = vector.histograms[row, column].scaled(scale)
    held = vector.floats | are_natives(found)
    drops = np.ones(vector.size, np.bool_)
    return Vector(vector.labels, values, held, drops, found).where(held)


def negative(vector: Vector) -> Vector:
    """The vector with the opposite sign."""
    return with_number("*", vector, np.full(vector.width, -1.0), is_left=True, as_bool=False)


def sets(name: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """`and`, `or`, `unless`."""
    mine, theirs, count = _signatures(left, right, matching)
    if name == "or":
        covered = _covered(left, mine, count)[theirs]
        rest = right.where(right.present & ~covered)
        return merged(stacked([left, rest])) if rest.size else left
    covered = _covered(right, theirs, count)[mine]
    return left.where(left.present & (covered if name == "and" else ~covered))


def _signatures(
    left: Vector, right: Vector, matching: Matching
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """The number of each series' matching labels, equal on both sides where they match."""
    tables = [matching.labels(left.labels), matching.labels(right.labels)]
    groups, firsts = joined(left.labels.symbols, tables).groups()
    return groups[: left.size], groups[left.size :], len(firsts)


def _covered(vector: Vector, signatures: NDArray[np.int64], count: int) -> Bools:
    """Where each signature has a value."""
    found = np.zeros((count, vector.width), np.bool_)
    order = np.argsort(signatures, kind="stable")
    if len(order):
        ordered = signatures[order]
        bounds = np.flatnonzero(np.diff(ordered, prepend=-1))
        found[ordered[bounds]] = np.logical_or.reduceat(vector.present[order], bounds, axis=0)
    return found


def between(name: str, left: Vector, right: Vector, matching: Matching, *, as_bool: bool) -> Vector:
    """Arithmetic or comparison between series that match.

    Raises:
        Unmatched: a series has several partners where it may have one.
    """
    swapped = matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    pairs = _pairs(many, one, matching, matching.fill)
    if not len(pairs.many):
        return empty(left.labels.symbols, left.width)
    first, second = (pairs.b, pairs.a) if swapped else (pairs.a, pairs.b)
    drops = np.full(len(pairs.many), as_bool) | _flags(many, pairs.many)
    labels = _result_labels(name, many, one, pairs, matching)
    frame = Vector(labels, first.values, pairs.held, drops)
    return _computed(name, first, second, frame, as_bool=as_bool)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Rows of both sides that belong together; -1 where a side is filled in."""

    many: NDArray[np.int64]
    one: NDArray[np.int64]
    a: native.Side
    b: native.Side
    held: Bools


def _pairs(
    many: Vector, one: Vector, matching: Matching, fills: tuple[float | None, float | None]
) -> _Pairs:
    mine, theirs, count = _signatures(many, one, matching)
    _check_one(one, theirs, count, matching)
    rows: list[tuple[Rows, Rows]] = [_join(mine, theirs)]
    if fills[1] is not None:
        rows.append((np.arange(many.size), np.full(many.size, -1)))
    if fills[0] is not None:
        rows.append((np.full(one.size, -1), np.arange(one.size)))
    left = np.concatenate([pair[0] for pair in rows]).astype(np.int64)
    right = np.concatenate([pair[1] for pair in rows]).astype(np.int64)
    held_left, held_right = _held(many, left), _held(one, right)
    both = held_left & held_right
    if fills[1] is not None:
        covered = _covered(one, theirs, count)[mine]
        both[right == -1] = held_left[right == -1] & ~covered[left[right == -1]]
    if fills[0] is not None:
        covered = _covered(many, mine, count)[theirs]
        both[left == -1] = held_right[left == -1] & ~covered[right[left == -1]]
    if not matching.many:
        used = left >= 0
        _check_many(mine[left[used]], both[used], count)
    alive = both.any(axis=1)
    left, right, both = left[alive], right[alive], both[alive]
    return _Pairs(left, right, _side(many, left, fills[0]), _side(one, right, fills[1]), both)


def _join(mine: NDArray[np.int64], theirs: NDArray[np.int64]) -> tuple[Rows, Rows]:
    """All pairs of rows with the same signature."""
    order = np.argsort(theirs, kind="stable")
    low = np.searchsorted(theirs[order], mine, "left")
    high = np.searchsorted(theirs[order], mine, "right")
    counts = high - low
    left = np.repeat(np.arange(len(mine)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return left, order[np.repeat(low, counts) + offsets]


def _held(vector: Vector, rows: NDArray[np.int64]) -> Bools:
    if not vector.size:
        return np.ones((len(rows), vector.width), np.bool_)
    return (rows < 0)[:, None] | vector.present[np.maximum(rows, 0)]


def _side(vector: Vector, rows: NDArray[np.int64], fill: float | None) -> native.Side:
    if not vector.size:
        return native.Side(np.full((len(rows), vector.width), fill), None)
    at = np.maximum(rows, 0)
    values = vector.values[at]
    found = None if vector.histograms is None else vector.histograms[at]
    if (rows < 0).any():
        values[rows < 0] = fill
        if found is not None:
            found[rows < 0] = None
    return native.Side(values, found)


def _flags(vector: Vector, rows: NDArray[np.int64]) -> Bools:
    if not vector.size:
        return np.zeros(len(rows), np.bool_)
    return (rows >= 0) & vector.drops[np.maximum(rows, 0)]


def _check_one(one: Vector, signatures: NDArray[np.int64], count: int, matching: Matching) -> None:
    """On the one side, a signature has one series at a time."""
    if count == 0 or len(np.unique(signatures)) == len(signatures):
        return
    order = np.argsort(signatures, kind="stable")
    ordered = signatures[order]
    bounds = np.flatnonzero(np.diff(ordered, prepend=-1))
    sizes = np.add.reduceat(one.present[order].astype(np.int32), bounds, axis=0)
    bad = np.argwhere(sizes > 1)
    if not len(bad):
        return
    where, column = bad[0]
    rows = order[ordered == ordered[bounds[where]]]
    twins = [int(row) for row in rows if one.present[row, column]][:2]
    names = sorted(written(row) for row in one.labels.take(np.array(twins)).sets())
    group = written(matching.labels(one.labels).take(np.array(twins[:1])).sets()[0])
    side = "left" if matching.many == "right" else "right"
    why = MANY_TO_MANY.format(group=group, side=side, one=names[0], other=names[1])
    raise Unmatched(why=why)


def _check_many(signatures: NDArray[np.int64], both: Bools, count: int) -> None:
    """One to one: a signature has one pair at a time."""
    seen = np.zeros((count, both.shape[1]), np.int32)
    np.add.at(seen, signatures, both.astype(np.int32))
    if (seen > 1).any():
        raise Unmatched(why=MANY_TO_ONE)


def _result_labels(
    name: str, many: Vector, one: Vector, pairs: _Pairs, matching: Matching
) -> Labels:
    """The labels of the result: those of the many side, with what it takes from the other."""
    labels = _rows(many, one, pairs.many, pairs.one, matching)
    if name in ARITHMETIC:
        labels = labels.drop([NAME])
    if not matching.many:
        labels = labels.keep(matching.names) if matching.on else labels.drop(matching.names)
    other = _rows(one, many, pairs.one, pairs.many, matching)
    for label in matching.include:
        labels = labels.replace(label, other.column(label))
    return labels


def _rows(
    mine: Vector,
    other: Vector,
    rows: NDArray[np.int64],
    others: NDArray[np.int64],
    matching: Matching,
) -> Labels:
    """The labels of these rows; a filled-in row has the labels by which it matches."""
    if (rows >= 0).all():
        return mine.labels.take(rows)
    parts = [
        mine.labels.take(rows[rows >= 0]),
        matching.labels(other.labels).take(others[rows < 0]),
    ]
    order = np.argsort(np.concatenate([np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)]))
    return joined(mine.labels.symbols, parts).take(order.astype(np.int64))


def _computed(
    name: str, left: native.Side, right: native.Side, frame: Vector, *, as_bool: bool
) -> Vector:
    """The numbers of pairs; `frame` has their labels, and where there are two."""
    found, held = None, frame.present
    if left.histograms is not None or right.histograms is not None:
        found, held = native.between(name, left, right, held, as_bool=as_bool)
    if name in ARITHMETIC:
        values = ARITHMETIC[name](left.values, right.values)
    elif as_bool:
        values = COMPARISON[name](left.values, right.values).astype(np.float64)
    else:
        _unique(frame)
        is_native = np.zeros_like(held) if found is None else are_natives(found)
        values = left.values
        held = held & (is_native | COMPARISON[name](left.values, right.values))
    return _unique(Vector(frame.labels, values, held, frame.drops, found).where(held))


def _unique(vector: Vector) -> Vector:
    try:
        return merged(vector)
    except Duplicate as error:
        raise Unmatched(why=NOT_UNIQUE) from error


def written(labels: dict[str, str]) -> str:
    """A label set as Prometheus' messages have it."""
    return "{" + ", ".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
