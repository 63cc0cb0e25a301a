"""Calls of functions: which arguments they take, and what they make of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import promql_parser as grammar

from steerway.telemetry.promql import buckets, functions, ranges, relabelling
from steerway.telemetry.promql.context import Context
from steerway.telemetry.promql.errors import QueryFailed
from steerway.telemetry.promql.parsing import selector, unwrapped
from steerway.telemetry.promql.ranges import Range
from steerway.telemetry.ranges import over_time, rates
from steerway.telemetry.vectors import native
from steerway.telemetry.vectors.labels import NAME, Labels, Symbols
from steerway.telemetry.vectors.numbers import plain
from steerway.telemetry.vectors.shapes import (
    Bools,
    Scalar,
    Text,
    Vector,
    empty,
    merged,
    single,
    stacked,
)

Value = Any  # of evaluation, which calls us


@dataclass(frozen=True, slots=True)
class Evaluator:
    """How arguments are evaluated."""

    value: Callable[[grammar.Expr, Context], Value]
    vector: Callable[[grammar.Expr, Context], Vector]
    scalar: Callable[[grammar.Expr, Context], Scalar]
    range_of: Callable[[grammar.Expr, Context], Range]
    rolled: Callable[[str, grammar.Expr, Context], Vector | None]
    when_newest: Callable[[grammar.VectorSelector, Context], Vector]


@dataclass(frozen=True, slots=True)
class Call:
    """A call under way."""

    name: str
    arguments: list[grammar.Expr]
    context: Context
    evaluator: Evaluator

    def vector(self, index: int) -> Vector:
        """An argument that is a vector."""
        return self.evaluator.vector(self.arguments[index], self.context)

    def scalar(self, index: int) -> Scalar:
        """An argument that is a number."""
        return self.evaluator.scalar(self.arguments[index], self.context)

    def text(self, index: int) -> str:
        """An argument that is a string."""
        found = self.evaluator.value(self.arguments[index], self.context)
        assert isinstance(found, Text)
        return found.text

    def range(self, index: int) -> Range:
        """An argument that is a range vector."""
        return self.evaluator.range_of(self.arguments[index], self.context)

    @property
    def symbols(self) -> Symbols:
        """The strings of this query."""
        return self.context.source.symbols


def call(node: grammar.Call, context: Context, evaluator: Evaluator) -> Value:
    """The value of a call.

    Raises:
        QueryFailed: the function is not known here, or cannot be computed.
    """
    made = Call(node.func.name, list(node.args), context, evaluator)
    if made.name in ranges.FUNCTIONS:
        return _over_range(made)
    if made.name in functions.MATHS:
        found = made.vector(0)
        return found.numbers(functions.MATHS[made.name](found.values))
    if made.name in functions.DATES:
        return _date(made)
    if made.name not in OTHERS:
        raise QueryFailed(why=f"the function {made.name} is not supported")
    return OTHERS[made.name](made)


def nothing(symbols: Symbols) -> Vector:
    """No series at no moment."""
    return empty(symbols, 0)


def _over_range(made: Call) -> Vector:
    found = made.evaluator.rolled(made.name, made.arguments[0], made.context)
    if found is None:
        found = ranges.applied(made.name, made.range(0))
    return found.where(found.present)


def _with_range(index: int, compute: Callable[[Call, Any], Any]) -> Callable[[Call], Vector]:
    """A range function with further arguments."""

    def called(made: Call) -> Vector:
        width = made.context.grid.size
        found = ranges.applied(
            made.name, made.range(index), lambda windows: compute(made, windows.tiled(width))
        )
        return found.where(found.present)

    return called


def _date(made: Call) -> Vector:
    part = functions.DATES[made.name]
    if not made.arguments:
        return single(made.symbols, part(_seconds(made)))
    found = made.vector(0)
    return found.numbers(part(found.values))


def _seconds(made: Call) -> Any:
    return made.context.grid.times / 1000


def _time(made: Call) -> Scalar:
    return Scalar(_seconds(made))


def _constant(number: Callable[[Call], float]) -> Callable[[Call], Scalar]:
    return lambda made: Scalar(np.full(made.context.grid.size, number(made)))


def _step(made: Call) -> float:
    query = made.context.query
    return 0.0 if query.start == query.end else query.step / 1000


def _picked(pick: Callable[..., Any]) -> Callable[[Call], Scalar]:
    return lambda made: Scalar(pick(made.scalar(0).values, made.scalar(1).values))


def _clamp(made: Call) -> Vector:
    return functions.clamp(made.vector(0), made.scalar(1).values, made.scalar(2).values)


def _clamp_min(made: Call) -> Vector:
    return functions.clamp(made.vector(0), made.scalar(1).values, np.array(np.inf))


def _clamp_max(made: Call) -> Vector:
    return functions.clamp(made.vector(0), np.array(-np.inf), made.scalar(1).values)


def _round(made: Call) -> Vector:
    nearest = made.scalar(1).values if len(made.arguments) > 1 else np.ones(1)
    return functions.rounded(made.vector(0), nearest)


def _timestamp(made: Call) -> Vector:
    node = unwrapped(made.arguments[0])
    if isinstance(node, grammar.VectorSelector):
        found = made.evaluator.when_newest(node, made.context)
        return Vector(found.labels, found.values, found.present, np.ones(found.size, np.bool_))
    found = made.vector(0)
    times = np.broadcast_to(_seconds(made), found.values.shape)
    drops = np.ones(found.size, np.bool_)
    return Vector(found.labels, times, found.present, drops)


def _absent(made: Call) -> Vector:
    return _missing(made, made.vector(0))


def _absent_over_time(made: Call) -> Vector:
    found = made.evaluator.rolled("present_over_time", made.arguments[0], made.context)
    if found is None:
        found = ranges.applied("present_over_time", made.range(0))
    return _missing(made, found)


def _missing(made: Call, found: Vector) -> Vector:
    """1 where no series has a value, by the labels that the selector demands."""
    gone: Bools = np.ones(made.context.grid.size, np.bool_)
    if found.size:
        gone = np.asarray(~found.present.any(axis=0))
    answer = single(made.symbols, np.ones(len(gone)), gone)
    node = unwrapped(made.arguments[0])
    if isinstance(node, grammar.MatrixSelector):
        node = node.vector_selector
    if not answer.size or not isinstance(node, grammar.VectorSelector):
        return answer
    return answer.named(Labels.of(made.symbols, [_demanded(node)]))


def _demanded(node: grammar.VectorSelector) -> dict[str, str]:
    matchers = [one for one in selector(node).matchers if one.name != NAME]
    names = [one.name for one in matchers]
    return {one.name: one.value for one in matchers if one.op == "=" and names.count(one.name) == 1}


def _sorted(*, descending: bool) -> Callable[[Call], Vector]:
    return lambda made: functions.ordered(made.vector(0), descending=descending)


def _sorted_by_label(*, descending: bool) -> Callable[[Call], Vector]:
    def called(made: Call) -> Vector:
        names = [made.text(index) for index in range(1, len(made.arguments))]
        return relabelling.by_label(made.vector(0), names, descending=descending)

    return called


def _label_replace(made: Call) -> Vector:
    return relabelling.label_replace(made.vector(0), *(made.text(index) for index in range(1, 5)))


def _label_join(made: Call) -> Vector:
    sources = [made.text(index) for index in range(3, len(made.arguments))]
    return relabelling.label_join(made.vector(0), made.text(1), made.text(2), sources)


def _quantiles(made: Call) -> Vector:
    """Several quantiles, each by a label that names it."""
    found, label = made.vector(0), made.text(1)
    parts = []
    for index in range(2, len(made.arguments)):
        share = made.scalar(index)
        code = made.symbols.code(_open_metrics(float(share.values[0])))
        part = buckets.quantile(share, found)
        parts.append(part.named(part.labels.replace(label, np.full(part.size, code, np.int32))))
    return merged(stacked(parts))


def _open_metrics(number: float) -> str:
    text = plain(number)
    return text if "." in text or not text.isdigit() else f"{text}.0"


def _of_natives(number: Callable[[native.Histogram], float]) -> Callable[[Call], Vector]:
    return lambda made: buckets.of_natives(made.vector(0), number)


def _mean(histogram: native.Histogram) -> float:
    return float(np.float64(histogram.sum) / np.float64(histogram.count))


OTHERS: Final[dict[str, Callable[[Call], Any]]] = {
    "time": _time,
    "pi": _constant(lambda made: np.pi),
    "start": _constant(lambda made: made.context.query.start / 1000),
    "end": _constant(lambda made: made.context.query.end / 1000),
    "step": _constant(_step),
    "range": _constant(lambda made: (made.context.query.end - made.context.query.start) / 1000),
    "max_of": _picked(np.maximum),
    "min_of": _picked(np.minimum),
    "vector": lambda made: single(made.symbols, made.scalar(0).values),
    "scalar": lambda made: functions.scalar(made.vector(0)),
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "timestamp": _timestamp,
    "clamp": _clamp,
    "clamp_min": _clamp_min,
    "clamp_max": _clamp_max,
    "round": _round,
    "sort": _sorted(descending=False),
    "sort_desc": _sorted(descending=True),
    "sort_by_label": _sorted_by_label(descending=False),
    "sort_by_label_desc": _sorted_by_label(descending=True),
    "label_replace": _label_replace,
    "label_join": _label_join,
    "histogram_quantile": lambda made: buckets.quantile(made.scalar(0), made.vector(1)),
    "histogram_quantiles": _quantiles,
    "histogram_fraction": lambda made: buckets.fraction(
        made.scalar(0), made.scalar(1), made.vector(2)
    ),
    "histogram_count": _of_natives(lambda histogram: histogram.count),
    "histogram_sum": _of_natives(lambda histogram: histogram.sum),
    "histogram_avg": _of_natives(_mean),
    "histogram_stddev": _of_natives(lambda histogram: float(np.sqrt(native.variance(histogram)))),
    "histogram_stdvar": _of_natives(native.variance),
    "quantile_over_time": _with_range(
        1, lambda made, windows: over_time.quantile(windows, made.scalar(0).values)
    ),
    "predict_linear": _with_range(
        0, lambda made, windows: rates.forecast(windows, made.scalar(1).values)
    ),
    "double_exponential_smoothing": _with_range(
        0,
        lambda made, windows: rates.smoothed(windows, made.scalar(1).values, made.scalar(2).values),
    ),
}
