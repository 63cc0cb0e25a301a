"""Questions in PromQL, and what metrics there are."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import promql_parser as grammar
import pyarrow as pa

from steerway.telemetry.metrics import rules
from steerway.telemetry.metrics.errors import QueryTimeout
from steerway.telemetry.metrics.rules import DEFAULT, Answer, QueryLimits, milliseconds
from steerway.telemetry.promql import evaluation, parsing
from steerway.telemetry.promql.evaluation import Context
from steerway.telemetry.promql.parsing import Selector
from steerway.telemetry.series.index import index_of
from steerway.telemetry.series.reading import Reading
from steerway.telemetry.series.rolling import Statement
from steerway.telemetry.store import Cancel, Cancelled, Limits, Store
from steerway.telemetry.vectors.shapes import Grid, Vector, moment

STATEMENT_ROWS_MAX = 60_000_000


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
    return evaluated(store, query, moment(milliseconds(at)), limits=limits, cancel=cancel)


def range_(
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
    found = evaluated(store, query, grid, limits=limits, cancel=cancel, is_range=True)
    if isinstance(found.value, Vector):
        ordered = found.value.take(found.value.labels.order())
        return Answer("matrix", ordered, grid)
    return found


def evaluated(
    store: Store,
    query: str,
    grid: Grid,
    *,
    limits: QueryLimits = DEFAULT,
    cancel: Cancel | None = None,
    is_range: bool = False,
) -> Answer:
    """The value of a query over a grid. Raises: as `instant`."""
    tree = parsing.parse(query)
    kind = parsing.kind(tree)
    if is_range and kind not in ("vector", "scalar"):
        why = f'invalid expression type "{_spoken(kind)}" for range query, must be Scalar or instant Vector'
        raise rules.RangeInvalid(why=why)
    deadline = time.monotonic() + limits.seconds
    check = _checking(limits, cancel, deadline)
    reading = Reading(index_of(store), _asking(store, limits, cancel, deadline), limits.cells)
    reading.prepare(selectors(tree))
    context = Context(reading, grid, grid, check, cells_max=limits.cells)
    return Answer(kind, evaluation.evaluate(tree, context), grid)


def _spoken(kind: str) -> str:
    return {"matrix": "range vector", "string": "string"}[kind]


def selectors(tree: grammar.Expr) -> list[Selector]:
    """Every selector of a query."""
    return [
        parsing.selector(node)
        for node in parsing.walk(tree)
        if isinstance(node, grammar.VectorSelector)
    ]


def _checking(limits: QueryLimits, cancel: Cancel | None, deadline: float) -> Callable[[], None]:
    def check() -> None:
        if cancel is not None and cancel.asked:
            raise Cancelled
        if time.monotonic() > deadline:
            raise QueryTimeout(seconds=limits.seconds)

    return check


def _asking(
    store: Store, limits: QueryLimits, cancel: Cancel | None, deadline: float
) -> Callable[[Statement], pa.Table]:
    """Statements share the time of their query."""
    check = _checking(limits, cancel, deadline)

    def ask(statement: Statement) -> pa.Table:
        check()
        left = max(deadline - time.monotonic(), 0.05)
        most = Limits(left, limits.memory_bytes, STATEMENT_ROWS_MAX)
        return store.table(statement.sql, statement.params, limits=most, cancel=cancel)

    return ask
