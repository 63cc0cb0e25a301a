"""Questions in PromQL, and what metrics there are."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import numpy as np
import promql_parser as grammar
import pyarrow as pa

from steerway.telemetry.metrics import rules
from steerway.telemetry.metrics.errors import QueryTimeout, RangeInvalid
from steerway.telemetry.metrics.rules import DEFAULT, Answer, QueryLimits, milliseconds
from steerway.telemetry.promql import evaluation, parsing
from steerway.telemetry.promql.context import LOOKBACK_MS, Context
from steerway.telemetry.promql.errors import QueryInvalid
from steerway.telemetry.promql.leaves import Leaf, leaves
from steerway.telemetry.promql.parsing import Matcher, Selector
from steerway.telemetry.series import listing
from steerway.telemetry.series.index import Statement, index_of
from steerway.telemetry.series.listing import Span
from steerway.telemetry.series.reading import Reading
from steerway.telemetry.series.selecting import select
from steerway.telemetry.store import Cancel, Cancelled, Limits, Store
from steerway.telemetry.vectors.labels import Labels
from steerway.telemetry.vectors.shapes import Grid, Vector

ROWS_MAX: Final = 10_000_000  # of one statement: samples that are not rolled up are held here


def instant(
    store: Store,
    query: str,
    *,
    at: datetime,
    limits: QueryLimits = DEFAULT,
    cancel: Cancel | None = None,
) -> Answer:
    """The value of a query at one moment.

    Raises:
        QueryInvalid: it cannot be read.
        QueryFailed: it cannot be computed.
        QueryTimeout, QueryTooLarge, TooManySamples: it met a limit.
        Cancelled: `cancel` was used.
        StoreDown: the store does not answer.
    """
    budget = Budget(limits, cancel)
    return evaluated(store, parsed(query), rules.at(milliseconds(at)), budget)


def range_(  # noqa: PLR0913 -- the moments, and what it may cost
    store: Store,
    query: str,
    *,
    start: datetime,
    end: datetime,
    step: timedelta,
    limits: QueryLimits = DEFAULT,
    cancel: Cancel | None = None,
) -> Answer:
    """The values of a query at moments of equal distance.

    Shape: series in the order of their labels.
    Raises: as `instant`, and
        RangeInvalid: the moments make no sense, or are too many.
    """
    step_ms = round(step / timedelta(milliseconds=1))
    grid = rules.grid(milliseconds(start), milliseconds(end), step_ms, limits.points)
    tree = parsed(query, is_range=True)
    return in_order(evaluated(store, tree, grid, Budget(limits, cancel)))


def in_order(found: Answer) -> Answer:
    """The answer of a range query: a matrix whose series come in the order of their labels."""
    if isinstance(found.value, Vector):
        ordered = found.value.take(found.value.labels.order())
        return Answer("matrix", ordered, found.grid)
    return Answer("matrix", found.value, found.grid)


def parsed(query: str, *, is_range: bool = False) -> grammar.Expr:
    """The tree of a query.

    Raises:
        QueryInvalid: it cannot be read.
        RangeInvalid: it has no number at each moment, as a range query needs.
    """
    tree = parsing.parse(query)
    kind = parsing.kind(tree)
    if is_range and kind not in ("vector", "scalar"):
        why = f'invalid expression type "{_spoken(kind)}" for range query'
        why += ", must be Scalar or instant Vector"
        raise RangeInvalid(why=why)
    return tree


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left for a query: it began when this was made."""

    limits: QueryLimits = DEFAULT
    cancel: Cancel | None = None
    began: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Go on, or stop.

        Raises:
            Cancelled: whoever asked has left.
            QueryTimeout: the time is over.
        """
        if self.cancel is not None and self.cancel.asked:
            raise Cancelled
        if self.left < 0:
            raise QueryTimeout(seconds=self.limits.seconds)

    @property
    def left(self) -> float:
        """Seconds."""
        return self.began + self.limits.seconds - time.monotonic()

    def ask(self, store: Store, statement: Statement) -> pa.Table:
        """The answer of one statement of the query."""
        self.check()
        # Whole seconds: the engine is told of limits when they differ from those of before.
        most = Limits(max(math.ceil(self.left), 1), self.limits.memory_bytes, ROWS_MAX)
        return store.table(statement.sql, statement.params, limits=most, cancel=self.cancel)


def evaluated(store: Store, tree: grammar.Expr, grid: Grid, budget: Budget) -> Answer:
    """The value of a query over a grid. Raises: as `instant`, but for what cannot be read."""
    reading = Reading(index_of(store), partial(budget.ask, store), budget.limits.cells)
    reading.prepare(leaves(tree))
    context = Context(reading, grid, grid, budget.check, cells_max=budget.limits.cells)
    return Answer(parsing.kind(tree), evaluation.evaluate(tree, context), grid)


def _spoken(kind: str) -> str:
    return {"matrix": "range vector", "string": "string"}[kind]


def selectors(tree: grammar.Expr) -> list[Selector]:
    """Every selector of a query."""
    return [one.selector for one in leaves(tree)]


@dataclass(frozen=True, slots=True)
class Exemplars:
    """Examples of one series: what was measured, when, and in which trace."""

    series: dict[str, str]
    examples: list[dict[str, Any]]


def series(
    store: Store, selectors_: Sequence[str], *, span: Span, budget: Budget | None = None
) -> list[dict[str, str]]:
    """The label sets of all series that any of the selectors selects.

    Raises:
        QueryInvalid: a selector cannot be read.
    """
    return _series(store, selectors_, span, budget or Budget()).sets()


def labels(
    store: Store, selectors_: Sequence[str], *, span: Span, budget: Budget | None = None
) -> list[str]:
    """The names of all labels, or of those of some series. Raises: as `series`."""
    budget = budget or Budget()
    if not selectors_:
        return listing.names(partial(budget.ask, store), span)
    return listing.names_of(_series(store, selectors_, span, budget))


def label_values(
    store: Store,
    name: str,
    selectors_: Sequence[str] = (),
    *,
    span: Span,
    budget: Budget | None = None,
) -> list[str]:
    """All values of a label, or those of some series. Raises: as `series`."""
    budget = budget or Budget()
    if not selectors_:
        return listing.values(partial(budget.ask, store), name, span)
    return listing.values_of(_series(store, selectors_, span, budget), name)


def newest(
    store: Store, selectors_: Sequence[str], *, at: int, budget: Budget
) -> list[tuple[Vector, Vector]]:
    """The newest samples of series, and when each was taken in seconds, selector by selector.

    Raises: as `series`.
    """
    wanted = [Selector(matchers_of(text), 0, None) for text in selectors_]
    reading = Reading(index_of(store), partial(budget.ask, store), budget.limits.cells)
    reading.prepare([Leaf(one) for one in wanted])
    found, seen = [], set[str]()
    for one in wanted:
        values = reading.newest(one, rules.at(at), LOOKBACK_MS)
        times = reading.when_newest(one, rules.at(at), LOOKBACK_MS)
        names = [str(labels) for labels in values.labels.sets()]
        fresh = np.array([name not in seen for name in names], np.bool_)
        seen.update(names)
        found.append((values.take(fresh), times.take(fresh)))
    return found


def _series(store: Store, texts: Sequence[str], span: Span, budget: Budget) -> Labels:
    matchers = [matchers_of(text) for text in texts]
    return listing.series(index_of(store), partial(budget.ask, store), matchers, span)


def matchers_of(text: str) -> tuple[Matcher, ...]:
    """The conditions of a selector that stands alone.

    Raises:
        QueryInvalid: it is something else.
    """
    tree = parsing.parse(text)
    if not isinstance(tree, grammar.VectorSelector) or tree.offset or tree.at:
        raise QueryInvalid(why=f"{text} is no series selector")
    return parsing.selector(tree).matchers


METADATA: Final = """
SELECT toString(metric) AS metric, toString(type) AS type, unit, help FROM metadata FINAL
WHERE {metric:String} = '' OR metric = {metric:String} ORDER BY metric LIMIT {most:UInt32}
"""


def metadata(store: Store, *, metric: str = "", most: int = 10_000) -> list[dict[str, str]]:
    """Type, unit and help of metrics, by name."""
    found: list[dict[str, str]] = store.table(
        METADATA, {"metric": metric, "most": most}
    ).to_pylist()
    return found


EXEMPLARS: Final = """
SELECT id, ts, value, trace_id, span_id, labels FROM exemplars
WHERE metric IN {metrics:Array(String)} AND id IN {ids:Array(UInt64)}
  AND ts >= fromUnixTimestamp64Milli({start:Int64}) AND ts <= fromUnixTimestamp64Milli({end:Int64})
ORDER BY id, ts LIMIT 10000
"""


def exemplars(
    store: Store, query: str, *, span: Span, budget: Budget | None = None
) -> list[Exemplars]:
    """The examples of every series that a query reads.

    Raises:
        QueryInvalid: it cannot be read.
    """
    budget = budget or Budget()
    index = index_of(store)
    index.refresh(partial(budget.ask, store))
    found = []
    for one in {one.matchers: one for one in selectors(parsing.parse(query))}:
        selection = select(index, one)
        if not len(selection.ids):
            continue
        params = {"metrics": list(selection.metrics), "ids": selection.ids.tolist()}
        params |= {"start": span.start, "end": span.end}
        rows = budget.ask(store, Statement(EXEMPLARS, params)).to_pylist()
        sets = dict(zip(selection.ids.tolist(), selection.labels.sets(), strict=True))
        by_series: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            by_series.setdefault(row["id"], []).append(_example(row))
        found += [Exemplars(sets[number], rows_) for number, rows_ in by_series.items()]
    return found


def _example(row: dict[str, Any]) -> dict[str, Any]:
    trace = {key: row[key] for key in ("trace_id", "span_id") if row[key]}
    return {"labels": {**dict(row["labels"]), **trace}, "value": row["value"], "at": row["ts"]}
