"""Evaluates a query over a grid of moments."""

from typing import Final

import numpy as np
import promql_parser as grammar

from steerway.telemetry.promql import calls
from steerway.telemetry.promql.context import Context
from steerway.telemetry.promql.errors import QueryFailed, TooManySamples
from steerway.telemetry.promql.parsing import milliseconds, moment, selector, unwrapped
from steerway.telemetry.promql.ranges import Range
from steerway.telemetry.promql.relabelling import REPLACED
from steerway.telemetry.vectors import aggregations, native_sums, operators
from steerway.telemetry.vectors.aggregations import Grouping
from steerway.telemetry.vectors.operators import Matching
from steerway.telemetry.vectors.shapes import (
    Grid,
    Samples,
    Scalar,
    Text,
    Vector,
    samples_of,
    single,
    unnamed,
)

Value = Scalar | Vector | Text | Samples
SUBQUERY_STEP_MS: Final = 60 * 1000


def evaluate(tree: grammar.Expr, context: Context) -> Value:
    """The value of a query.

    Raises:
        QueryFailed: it cannot be computed over these samples.
        Refused: a limit is met, or series do not match.
    """
    with np.errstate(all="ignore"):
        found = _evaluate(tree, context)
        return unnamed(found) if isinstance(found, Vector) else found


def _evaluate(node: grammar.Expr, context: Context) -> Value:
    context.check()
    node = unwrapped(node)
    if isinstance(node, grammar.NumberLiteral):
        return Scalar(np.full(context.grid.size, node.val))
    if isinstance(node, grammar.StringLiteral):
        return Text(node.val)
    if isinstance(node, grammar.MatrixSelector | grammar.SubqueryExpr):
        return range_of(node, context).samples
    return _checked(_computed(node, context), context)


def _computed(node: grammar.Expr, context: Context) -> Value:
    if isinstance(node, grammar.VectorSelector):
        return _newest(node, context)
    if isinstance(node, grammar.UnaryExpr):
        found = _evaluate(node.expr, context)
        if isinstance(found, Scalar):
            return Scalar(-found.values)
        return operators.negative(_vector(found))
    if isinstance(node, grammar.BinaryExpr):
        return _binary(node, context)
    if isinstance(node, grammar.AggregateExpr):
        return _aggregate(node, context)
    assert isinstance(node, grammar.Call)
    value: Value = calls.call(node, context, EVALUATOR)
    return value


def _checked(found: Value, context: Context) -> Value:
    if isinstance(found, Vector) and found.values.size > context.cells_max:
        raise TooManySamples(most=context.cells_max)
    return found


def _vector(found: Value) -> Vector:
    assert isinstance(found, Vector)
    return found


def vector(node: grammar.Expr, context: Context) -> Vector:
    """An expression that the parser says is a vector."""
    return _vector(_evaluate(node, context))


def scalar(node: grammar.Expr, context: Context) -> Scalar:
    """An expression that the parser says is a number."""
    found = _evaluate(node, context)
    assert isinstance(found, Scalar)
    return found


def _at(at: int | str | None, context: Context) -> int | None:
    """The moment to which `@` fixes an expression."""
    if at == "start":
        return context.query.start
    if at == "end":
        return context.query.end
    assert not isinstance(at, str)
    return at


def _ends(at: int | str | None, offset: int, context: Context) -> Grid:
    """The moments whose samples are seen."""
    fixed = _at(at, context)
    grid = context.grid if fixed is None else Grid(fixed, fixed, 1)
    return grid.moved(-offset)


def _newest(node: grammar.VectorSelector, context: Context, *, when: bool = False) -> Vector:
    wanted = selector(node)
    ends = _ends(wanted.at, wanted.offset, context)
    ask = context.source.when_newest if when else context.source.newest
    return ask(wanted, ends, context.lookback).tiled(context.grid.size)


def when_newest(node: grammar.VectorSelector, context: Context) -> Vector:
    """When the samples of a selector were taken."""
    return _newest(node, context, when=True)


def rolled(name: str, node: grammar.Expr, context: Context) -> Vector | None:
    """A range function computed by the source, if it can."""
    node = unwrapped(node)
    if not isinstance(node, grammar.MatrixSelector):
        return None
    wanted = selector(node.vector_selector)
    ends = _ends(wanted.at, wanted.offset, context)
    found = context.source.rolled(name, wanted, ends, milliseconds(node.range))
    return None if found is None else found.tiled(context.grid.size)


def range_of(node: grammar.Expr, context: Context) -> Range:
    """The samples of a range vector and the windows over them."""
    node = unwrapped(node)
    if isinstance(node, grammar.SubqueryExpr):
        return _subquery(node, context)
    assert isinstance(node, grammar.MatrixSelector)
    wanted = selector(node.vector_selector)
    length = milliseconds(node.range)
    ends = _ends(wanted.at, wanted.offset, context)
    samples = context.source.samples(wanted, ends.start - length, ends.last)
    return Range(samples, context.grid, ends, length)


def _subquery(node: grammar.SubqueryExpr, context: Context) -> Range:
    """An expression at its own moments, as samples.

    Its moments are multiples of its step, wherever the query begins.
    """
    length, step = milliseconds(node.range), milliseconds(node.step) or SUBQUERY_STEP_MS
    ends = _ends(moment(node.at), milliseconds(node.offset), context)
    begin = ends.start - length
    first = step * int(begin / step)
    if first <= begin:
        first += step
    grid = Grid(first, ends.last, step)
    inner = context.on(grid)
    found = _evaluate(node.expr, inner) if grid.size else None
    if isinstance(found, Scalar):
        found = single(context.source.symbols, found.values)
    if found is None:
        found = calls.nothing(context.source.symbols)
    samples = samples_of(_vector(found), grid.times)
    return Range(samples, context.grid, ends, length)


def _binary(node: grammar.BinaryExpr, context: Context) -> Value:
    name = str(node.op)
    left, right = _evaluate(node.lhs, context), _evaluate(node.rhs, context)
    as_bool = node.modifier is not None and node.modifier.return_bool
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return Scalar(operators.between_numbers(name, left.values, right.values))
    if isinstance(left, Scalar):
        return operators.with_number(
            name, _vector(right), left.values, is_left=False, as_bool=as_bool
        )
    if isinstance(right, Scalar):
        return operators.with_number(
            name, _vector(left), right.values, is_left=True, as_bool=as_bool
        )
    matching = _matching(node.modifier)
    if name in operators.SETS:
        return operators.sets(name, _vector(left), _vector(right), matching)
    return operators.between(name, _vector(left), _vector(right), matching, as_bool=as_bool)


def _matching(modifier: grammar.BinModifier | None) -> Matching:
    if modifier is None:
        return Matching()
    labels = modifier.matching
    card = str(modifier.card).rsplit(".", 1)[-1]
    fills = modifier.fill_values
    return Matching(
        names=() if labels is None else tuple(labels.labels),
        on=labels is not None and str(labels.type).endswith("Include"),
        many={"ManyToOne": "left", "OneToMany": "right"}.get(card, ""),
        include=tuple(modifier.group_labels or ()),
        fill=(None, None) if fills is None else (fills.lhs, fills.rhs),
    )


def _aggregate(node: grammar.AggregateExpr, context: Context) -> Vector:
    name, modifier = str(node.op), node.modifier
    grouping = Grouping()
    if modifier is not None:
        grouping = Grouping(tuple(modifier.labels), str(modifier.type).endswith("Without"))
    found = vector(node.expr, context)
    if name in aggregations.SIMPLE:
        return native_sums.simple(name, found, grouping)
    if name == "count_values":
        assert node.param is not None
        text = _evaluate(node.param, context)
        assert isinstance(text, Text)
        if not text.text or REPLACED in text.text:
            raise QueryFailed(why=f'invalid label name "{text.text}"')
        return aggregations.count_values(text.text, found, grouping)
    assert node.param is not None
    number = scalar(node.param, context)
    if name == "quantile":
        return aggregations.quantile(number, found, grouping)
    return _chosen(name, number, found, grouping)


def _chosen(name: str, number: Scalar, found: Vector, grouping: Grouping) -> Vector:
    """Series picked as they are."""
    if name == "limit_ratio":
        raise QueryFailed(why="the experimental operator limit_ratio is not supported")
    if np.isnan(number.values).any():
        raise QueryFailed(why="Parameter value is NaN")
    if found.size and (np.abs(number.values) >= 2.0**63).any():
        most = number.values[np.abs(number.values) >= 2.0**63][0]
        raise QueryFailed(why=f"Scalar value {most} overflows int64")
    whole = Scalar(np.trunc(number.values))
    if name == "limitk":
        return aggregations.limited(whole, found, grouping)
    return aggregations.highest(name, whole, found, grouping)


EVALUATOR: Final = calls.Evaluator(_evaluate, vector, scalar, range_of, rolled, when_newest)
