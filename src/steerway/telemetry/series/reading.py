"""The samples of one query."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from steerway.telemetry.promql.errors import TooManySamples
from steerway.telemetry.promql.leaves import Leaf
from steerway.telemetry.promql.parsing import Matcher, Selector
from steerway.telemetry.ranges.windows import windows
from steerway.telemetry.series import natives, rolling
from steerway.telemetry.series.index import Ask, Index
from steerway.telemetry.series.selecting import Selection, select, united
from steerway.telemetry.vectors.labels import Rows, Symbols
from steerway.telemetry.vectors.shapes import (
    NOTHING,
    STALE_BITS,
    Bools,
    Floats,
    Grid,
    Samples,
    Vector,
    empty,
)

CELLS_MAX: Final = 50_000_000


@dataclass(slots=True)
class Reading:
    """Selectors answered from the store. `ask` runs a statement within the query's limits."""

    index: Index
    ask: Ask
    cells_max: int = CELLS_MAX
    symbols: Symbols = field(init=False)
    _selections: dict[tuple[Matcher, ...], Selection] = field(default_factory=dict)
    _wider: dict[tuple[object, int, object], Selection] = field(default_factory=dict)
    _answers: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.symbols = Symbols(self.index.symbols)

    def prepare(self, leaves: Sequence[Leaf]) -> None:
        """Look up all series of the query first, so that equal strings are equal numbers.

        Leaves that are computed alike are computed together: a statement costs more than its rows.
        """
        if leaves:
            self.index.refresh(self.ask)
        found = {one.selector.matchers: select(self.index, one.selector.matchers) for one in leaves}
        self.symbols = Symbols(self.index.symbols)
        for matchers, selection in found.items():
            labels = selection.labels.with_symbols(self.symbols)
            self._selections[matchers] = replace(selection, labels=labels)
        kinds: dict[tuple[object, ...], dict[int, Selection]] = {}
        for one in leaves:
            selection = self._selections[one.selector.matchers]
            if len(selection.ids) and not self._is_native(selection):
                kinds.setdefault(one.kind, {})[id(selection)] = selection
        for kind, several in kinds.items():
            if len(several) > 1:
                wide = united(list(several.values()))
                for number in several:
                    self._wider[kind[0] or "newest", number, kind[1]] = wide

    def newest(self, selector: Selector, grid: Grid, lookback: int) -> Vector:
        """The newest sample of each series at each moment, unless it is older or a stale mark."""
        selection = self._selections[selector.matchers]
        if self._is_native(selection):
            return self._newest_of_samples(selection, grid, lookback, when=False)
        found = self._rolled("newest", selection, grid, lookback)
        if not found.size:
            return found
        fresh = found.present & (found.values.view(np.uint64) != STALE_BITS)
        return found.where(fresh)

    def when_newest(self, selector: Selector, grid: Grid, lookback: int) -> Vector:
        """When that was, in seconds."""
        selection = self._selections[selector.matchers]
        return self._newest_of_samples(selection, grid, lookback, when=True)

    def _newest_of_samples(
        self, selection: Selection, grid: Grid, lookback: int, *, when: bool
    ) -> Vector:
        samples = self._samples(selection, grid.start - lookback, grid.last, stale=True)
        seen = windows(samples, grid.times, lookback, grid.times)
        newest = np.maximum(seen.high - 1, 0)
        values = seen.value(newest)
        held = (seen.counts > 0) & ~self._stale(values)
        found = None
        if samples.histograms is not None and not when and len(samples.values):
            found = samples.histograms[np.minimum(newest, len(samples.values) - 1)]
            found = np.where(held, found, NOTHING)
        if when:
            values = seen.time(newest) / 1000
        return Vector(selection.labels, values, held, samples.drops, found).where(held)

    @staticmethod
    def _stale(values: Floats) -> Bools:
        return np.asarray(np.ascontiguousarray(values).view(np.uint64) == STALE_BITS)

    def samples(self, selector: Selector, start: int, end: int) -> Samples:
        """All samples after `start`, up to `end`, without stale marks."""
        return self._samples(self._selections[selector.matchers], start, end, stale=False)

    def rolled(self, function: str, selector: Selector, grid: Grid, length: int) -> Vector | None:
        """A range function that the engine computes; None: it cannot."""
        selection = self._selections[selector.matchers]
        if function not in rolling.FUNCTIONS or self._is_native(selection):
            return None
        found = self._rolled(function, selection, grid, length)
        return Vector(found.labels, found.values, found.present, np.ones(found.size, np.bool_))

    def _is_native(self, selection: Selection) -> bool:
        return bool(selection.metrics) and not self.index.natives().isdisjoint(selection.metrics)

    def _rolled(self, function: str, selection: Selection, grid: Grid, length: int) -> Vector:
        window = 0 if function == "newest" else length
        wide = self._wider.get((function, id(selection), window), selection)
        key = ("rolled", function, id(wide), grid, length)
        if key not in self._answers:
            self._answers[key] = self._asked(function, wide, grid, length)
        rows, found = self._answers[key]
        vector: Vector = found
        if wide is selection:
            return vector
        return vector.take(np.isin(wide.ids, selection.ids)[rows])

    def _asked(
        self, function: str, selection: Selection, grid: Grid, length: int
    ) -> tuple[Rows, Vector]:
        """The rows of the selection that have any value, and their values."""
        size = len(selection.ids)
        if not size or not grid.size:
            return np.zeros(0, np.int64), empty(self.symbols, grid.size)
        self._check(size * grid.size)
        rows, values, present = [], [], []
        for part in rolling.pieces(selection, grid, length):
            only = None if len(part) == size else part
            table = self.ask(rolling.grid(function, selection, grid, length, only))
            ids, numbers, held = rolling.matrix(table, grid.size)
            row, known = _rows(ids, selection.ids)
            rows.append(row)
            values.append(numbers if known.all() else numbers[known])
            present.append(held if known.all() else held[known])
        row = np.concatenate(rows)
        order = np.argsort(row, kind="stable")
        row, held = row[order], _stacked(present, order)
        some: Bools = held.any(axis=1)
        drops = np.zeros(len(row), np.bool_)
        labels = selection.labels.take(row)
        return row[some], Vector(labels, _stacked(values, order), held, drops).where(held)

    def _samples(self, selection: Selection, start: int, end: int, *, stale: bool) -> Samples:
        key = ("samples", id(selection), start, end, stale)
        if key not in self._answers:
            self._answers[key] = self._read(selection, start, end, stale=stale)
        found: Samples = self._answers[key]
        return found

    def _read(self, selection: Selection, start: int, end: int, *, stale: bool) -> Samples:
        if not len(selection.ids):
            zero = np.zeros(0, np.int64)
            none = np.zeros(0, np.bool_)
            return Samples(selection.labels, np.zeros(1, np.int64), zero, np.zeros(0), none)
        table = self.ask(rolling.samples(selection, start, end, stale=stale))
        self._check(table.num_rows)
        ids = table["id"].to_numpy().astype(np.uint64)
        times = table["ts"].cast(pa.int64()).to_numpy()
        found = _ordered(selection, ids, times, table["value"].to_numpy())
        if self._is_native(selection):
            more = natives.read(self.ask, selection, start, end, stale=stale)
            return natives.mixed(selection, found, more)
        return found

    def _check(self, cells: int) -> None:
        if cells > self.cells_max:
            raise TooManySamples(most=self.cells_max)


def _stacked(parts: list[Any], order: NDArray[np.int64]) -> Any:
    return parts[0][order] if len(parts) == 1 else np.concatenate(parts)[order]


def _rows(ids: NDArray[np.uint64], known: NDArray[np.uint64]) -> tuple[Any, Bools]:
    """The row of each id among the known ones; an id that is new since is left out."""
    order = np.argsort(known)
    place = np.minimum(np.searchsorted(known[order], ids), len(known) - 1)
    found = known[order][place] == ids
    return order[place][found], found


def _ordered(
    selection: Selection, ids: NDArray[np.uint64], times: NDArray[np.int64], values: Floats
) -> Samples:
    """Samples by series and time; of several at the same moment, one."""
    row, known = _rows(ids, selection.ids)
    if not known.all():
        times, values = times[known], values[known]
    order = np.lexsort((times, row))
    row, times, values = row[order], times[order], values[order]
    if len(row):
        new = np.ones(len(row), np.bool_)
        new[1:] = (row[1:] != row[:-1]) | (times[1:] != times[:-1])
        if not new.all():
            row, times, values = row[new], times[new], values[new]
    starts = np.searchsorted(row, np.arange(len(selection.ids) + 1)).astype(np.int64)
    drops = np.zeros(len(selection.ids), np.bool_)
    return Samples(selection.labels, starts, times, values, drops)
