"""A query as a tree, or why it is none."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import promql_parser as grammar

from steerway.telemetry.promql.errors import QueryInvalid
from steerway.telemetry.vectors.labels import NAME

QUERY_CHARACTERS_MAX: Final = 32_768
DEPTH_MAX: Final = 100
OLD_NAMES: Final = re.compile(r"\bholt_winters(?=\s*\()")
NOT_SUPPORTED: Final = {"info", "start_timestamp"}
KINDS: Final[dict[type[grammar.Expr], str]] = {
    grammar.NumberLiteral: "scalar",
    grammar.StringLiteral: "string",
    grammar.MatrixSelector: "matrix",
    grammar.SubqueryExpr: "matrix",
}
OPENS, CLOSES = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label: `op` is =, !=, =~ or !~."""

    name: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Which series, and of when: `offset` back from `at`, or from the moment of evaluation.

    Units: milliseconds. `at` is "start", "end" or a moment.
    """

    matchers: tuple[Matcher, ...]
    offset: int
    at: int | str | None

    @property
    def equals(self) -> dict[str, str]:
        """The labels that can only have one value."""
        return {one.name: one.value for one in self.matchers if one.op == "="}


OPS: Final = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def parse(query: str) -> grammar.Expr:
    """The tree of a query.

    Raises:
        QueryInvalid: it is no query, and why.
    """
    if len(query) > QUERY_CHARACTERS_MAX:
        raise QueryInvalid(why=f"longer than {QUERY_CHARACTERS_MAX} characters")
    if _depth(query) > DEPTH_MAX:
        raise QueryInvalid(why=f"nested deeper than {DEPTH_MAX} levels")
    try:
        tree: grammar.Expr = grammar.parse(OLD_NAMES.sub("double_exponential_smoothing", query))
    except ValueError as error:
        raise QueryInvalid(why=str(error)) from error
    for node in walk(tree):
        _check(node)
    return tree


def _depth(query: str) -> int:
    """How deep brackets and signs nest at most: the parser recurses."""
    deepest = depth = signs = 0
    for character in query:
        if character in OPENS:
            depth += 1
        elif character in CLOSES:
            depth -= 1
        signs += character in "-+^"
        deepest = max(deepest, depth)
    return deepest + signs // 50


def _check(node: grammar.Expr) -> None:
    if isinstance(node, grammar.VectorSelector):
        if node.matchers.or_matchers:
            raise QueryInvalid(why="matchers cannot be joined with `or`")
    elif isinstance(node, grammar.Call) and node.func.name in NOT_SUPPORTED:
        raise QueryInvalid(why=f"the experimental function {node.func.name} is not supported")


def children(node: grammar.Expr) -> list[grammar.Expr]:
    """The parts of an expression."""
    if isinstance(node, grammar.Call):
        return list(node.args)
    if isinstance(node, grammar.BinaryExpr):
        return [node.lhs, node.rhs]
    if isinstance(node, grammar.AggregateExpr):
        return [node.expr] if node.param is None else [node.param, node.expr]
    if isinstance(node, grammar.MatrixSelector):
        return [node.vector_selector]
    if isinstance(node, grammar.ParenExpr | grammar.UnaryExpr | grammar.SubqueryExpr):
        return [node.expr]
    return []


def walk(tree: grammar.Expr) -> Iterator[grammar.Expr]:
    """Every part of an expression, the whole first."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(children(node))


def unwrapped(node: grammar.Expr) -> grammar.Expr:
    """Without the parentheses around it."""
    while isinstance(node, grammar.ParenExpr):
        node = node.expr
    return node


def selector(node: grammar.VectorSelector) -> Selector:
    """What a selector selects."""
    found = [
        Matcher(one.name, OPS[str(one.op).rsplit(".", 1)[-1]], one.value)
        for one in node.matchers.matchers
    ]
    if node.name and not any(one.name == NAME for one in found):
        found.insert(0, Matcher(NAME, "=", node.name))
    return Selector(tuple(found), milliseconds(node.offset), moment(node.at))


def moment(at: Any) -> int | str | None:
    """The moment of an `@`, which may be the start or the end of the query."""
    if at is None:
        return None
    kind = str(at.type).rsplit(".", 1)[-1]
    return kind.lower() if kind in ("Start", "End") else round(at.at.timestamp() * 1000)


def milliseconds(length: timedelta | None) -> int:
    """A length of time as a whole number."""
    return 0 if length is None else round(length / timedelta(milliseconds=1))


def kind(tree: grammar.Expr) -> str:
    """What an expression gives: scalar, vector, matrix or string."""
    tree = unwrapped(tree)
    if isinstance(tree, grammar.UnaryExpr):
        return kind(tree.expr)
    if isinstance(tree, grammar.BinaryExpr):
        both = {kind(tree.lhs), kind(tree.rhs)}
        return "scalar" if both == {"scalar"} else "vector"
    if isinstance(tree, grammar.Call):
        return str(tree.func.return_type).rsplit(".", 1)[-1].lower()
    return next((name for type_, name in KINDS.items() if isinstance(tree, type_)), "vector")
