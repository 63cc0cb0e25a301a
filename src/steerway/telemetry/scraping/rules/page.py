"""A page of metrics read into columns.

A program shows the same lines again and again, with other numbers behind them. So the first look
at a page is a slow one that notes its layout: which bytes of each line name a series, and which
series that is. As long as those bytes are the same, a later look is a few native operations over
the whole page, whatever the number of its lines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from steerway.telemetry.ingest.rules.samples import STALE, Ids, Series, Times, Values
from steerway.telemetry.scraping.rules import labels as naming
from steerway.telemetry.scraping.rules.batch import NOTHING, Batch, Exemplar, batch, joined
from steerway.telemetry.scraping.rules.labels import Malformed
from steerway.telemetry.scraping.rules.lines import Line, Tail, lines_of, meanings, tail_of

LINES_MAX: Final = 200_000
NEWLINE: Final = 10
PARTS: Final = 3  # of a line: its name, its value, its end
TIMED: Final = 2  # a value and a timestamp

# Which series a line is of; None for a line that nobody wants. The number multiplies its values.
Namer = Callable[[str, Mapping[str, str]], "Named | None"]


class Named(NamedTuple):
    """What a line becomes."""

    id: int
    series: Series
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Layout:
    """What stays the same between two looks at a page.

    Shape: `lengths` and `names` are as long as the page has lines, the rest as it has samples.
    """

    lengths: npt.NDArray[np.int32]
    names: pa.Array
    at: pa.Array
    series: Mapping[int, Series]
    metrics: pa.Array
    ids: Ids
    factors: Values | None


@dataclass(slots=True)
class Page:
    """One page that is read again and again. `seconds`: its timestamps are OpenMetrics'."""

    name: Namer
    layout: Layout | None = None
    timed: frozenset[int] = frozenset()
    is_renamed: bool = False

    def read(self, body: bytes, ts_ms: int, *, seconds: bool = False) -> Batch:
        """The samples on the page; those without a timestamp are of `ts_ms`.

        What was there the last time and is not now has a stale marker. `meanings` come with a
        layout that is new.

        Raises:
            Malformed: nothing of the page is taken.
        """
        body = body if body.endswith(b"\n") or not body else body + b"\n"
        ends = np.flatnonzero(np.frombuffer(body, np.uint8) == NEWLINE)
        if len(ends) > LINES_MAX:
            raise Malformed(f"the page has more than {LINES_MAX} lines")
        before, values = self.layout, None
        if before is not None and not self.is_renamed and len(before.lengths) == len(ends):
            values = _values(body, ends, before)
        if before is not None and values is not None:
            return self._batch(before, values, ts_ms, seconds=seconds)
        return self._anew(body, ends, ts_ms, seconds=seconds)

    def rename(self) -> None:
        """What `name` answers is different from now on."""
        self.is_renamed = True

    def end(self, ts_ms: int) -> Batch:
        """Stale markers for every series of the page, which is not shown any more."""
        before, self.layout = self.layout, None
        return NOTHING if before is None else self._ended(before, before.ids, ts_ms)

    def _anew(
        self, body: bytes, ends: npt.NDArray[np.int64], ts_ms: int, *, seconds: bool
    ) -> Batch:
        lines = lines_of(body)
        known = {} if self.layout is None or self.is_renamed else _known(self.layout)
        layout = _layout(body, ends, lines, self.name, known)
        values = _values(body, ends, layout)
        assert values is not None, "a layout fits the page it was made of"
        found = self._batch(layout, values, ts_ms, seconds=seconds)
        before, self.layout, self.is_renamed = self.layout, layout, False
        gone = NOTHING
        if before is not None:
            gone = self._ended(before, np.setdiff1d(before.ids, layout.ids), ts_ms)
        return replace(joined([found, gone]), meanings=meanings(body))

    def _batch(self, layout: Layout, values: pa.Array, ts_ms: int, *, seconds: bool) -> Batch:
        try:
            numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            return self._mixed(layout, values, ts_ms, seconds=seconds)
        self.timed = frozenset()
        return _made(layout, numbers, np.full(len(numbers), ts_ms, np.int64))

    def _mixed(self, layout: Layout, values: pa.Array, ts_ms: int, *, seconds: bool) -> Batch:
        """A page on which lines have timestamps or exemplars behind their values."""
        if not seconds and (both := _pairs(values)) is not None:
            self.timed = frozenset(layout.ids.tolist())
            return _made(layout, both[0], both[1])
        rest = pc.match_substring_regex(values, r"\s").to_numpy(zero_copy_only=False)
        numbers, moments = np.empty(len(rest)), np.full(len(rest), ts_ms, np.int64)
        numbers[~rest] = _numbers(values.filter(pa.array(~rest)))
        longer = values.filter(pa.array(rest)).cast(pa.binary()).to_pylist()
        tails = [tail_of(text, seconds=seconds) for text in longer]
        numbers[rest] = [tail.value for tail in tails]
        moments[rest] = [ts_ms if tail.ts_ms is None else tail.ts_ms for tail in tails]
        ids = layout.ids[rest].tolist()
        stamped = zip(ids, tails, strict=True)
        self.timed = frozenset(id_ for id_, tail in stamped if tail.ts_ms is not None)
        found = _exemplars(layout.series, ids, tails, moments[rest].tolist())
        return replace(_made(layout, numbers, moments), exemplars=found)

    def _ended(self, layout: Layout, ids: Ids, ts_ms: int) -> Batch:
        """Stale markers, but for series that have timestamps of their own: as Prometheus does."""
        gone = set(ids.tolist()) - self.timed
        rows = [(layout.series[id_].metric, id_, STALE) for id_ in gone]
        return batch(rows, ts_ms, {id_: layout.series[id_] for id_ in gone})


def _values(body: bytes, ends: npt.NDArray[np.int64], layout: Layout) -> pa.Array | None:
    """The texts behind the names, or None when this page has another layout."""
    parts = np.empty(PARTS * len(ends) + 1, np.int32)
    parts[0] = 0
    parts[2::PARTS], parts[3::PARTS] = ends, ends + 1
    starts = parts[0:-1:PARTS]
    np.minimum(starts + layout.lengths, ends, out=parts[1::PARTS], casting="same_kind")
    text = pa.StringArray.from_buffers(len(parts) - 1, pa.py_buffer(parts), pa.py_buffer(body))
    names = text.take(pa.array(np.arange(len(ends), dtype=np.int32) * PARTS))
    return text.take(layout.at) if names.equals(layout.names) else None


def _layout(
    body: bytes,
    ends: npt.NDArray[np.int64],
    lines: list[Line],
    name: Namer,
    known: Mapping[bytes, Named],
) -> Layout:
    seen: dict[int, tuple[int, Named]] = {}
    for number, line in enumerate(lines):
        named = None if line.name is None else known.get(line.name) or _named(line.name, name)
        if named is not None:
            seen.setdefault(named.id, (number, named))  # of two lines of a series, the first one
    # In the order of ids, which spares whoever looks them up from sorting each look anew.
    ordered = [seen[id_] for id_ in sorted(seen)]
    found = [named for _, named in ordered]
    lengths = np.array([line.length for line in lines], np.int32)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    cut = [body[s : s + n] for s, n in zip(starts.tolist(), lengths.tolist(), strict=True)]
    series = {one.id: one.series for one in found}
    factors = np.array([one.factor for one in found], np.float64)
    return Layout(
        lengths,
        pa.array(cut, pa.binary()).cast(pa.string(), safe=False) if cut else pa.array([], "string"),
        pa.array(np.array([number for number, _ in ordered], np.int32) * PARTS + 1),
        series,
        pa.array([one.series.metric for one in found], pa.string()).dictionary_encode(),
        np.fromiter((one.id for one in found), np.uint64, len(found)),
        None if (factors == 1).all() else factors,
    )


def _named(text: bytes, name: Namer) -> Named | None:
    try:
        metric, labels = naming.parse(text.decode())
    except UnicodeDecodeError:
        raise Malformed("a name is not UTF-8") from None
    return name(metric, labels)


def _known(layout: Layout) -> dict[bytes, Named]:
    """The series of the layout before, by how they were written: most of them are on the next."""
    names = [name.rstrip() for name in layout.names.cast(pa.binary()).to_pylist()]
    numbers = (layout.at.to_numpy() - 1) // PARTS
    factors = layout.factors if layout.factors is not None else np.ones(len(numbers))
    rows = zip(numbers.tolist(), layout.ids.tolist(), factors.tolist(), strict=True)
    return {names[number]: Named(id_, layout.series[id_], by) for number, id_, by in rows}


def _made(layout: Layout, values: Values, ts_ms: Times) -> Batch:
    scaled = values if layout.factors is None else values * layout.factors
    return Batch(layout.metrics, layout.ids, ts_ms, scaled, layout.series)


def _pairs(values: pa.Array) -> tuple[Values, Times] | None:
    """Values and timestamps where every line has both, as on a page of federation."""
    parts = pc.split_pattern(values, " ")
    if not pc.all(pc.equal(pc.list_value_length(parts), TIMED)).as_py():
        return None
    flat = parts.flatten()
    try:
        numbers = flat.take(pa.array(np.arange(0, len(flat), TIMED))).cast(pa.float64())
        moments = flat.take(pa.array(np.arange(1, len(flat), TIMED))).cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    return numbers.to_numpy(), moments.to_numpy()


def _numbers(texts: pa.Array) -> Values:
    try:
        numbers: Values = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        raise Malformed("a value is not a number") from None
    return numbers


def _exemplars(
    series: Mapping[int, Series], ids: list[int], tails: list[Tail], moments: list[int]
) -> tuple[Exemplar, ...]:
    return tuple(
        Exemplar(
            series[id_].metric,
            id_,
            tail.exemplar.ts_ms or moment,
            tail.exemplar.value,
            tail.exemplar.labels,
        )
        for id_, tail, moment in zip(ids, tails, moments, strict=True)
        if tail.exemplar is not None
    )
