"""The selectors of a query, and what is done with the samples of each."""

from dataclasses import dataclass

import promql_parser as grammar

from steerway.telemetry.promql.parsing import Selector, children, milliseconds, selector, unwrapped


@dataclass(frozen=True, slots=True)
class Leaf:
    """One selector. `function` and `length` are those of a range function over it, if any.

    `within`: the subquery in which it stands, as a number; 0 for none.
    """

    selector: Selector
    function: str = ""
    length: int = 0
    within: int = 0

    @property
    def kind(self) -> tuple[object, ...]:
        """Leaves of the same kind are computed alike, over the same moments."""
        one = self.selector
        return (self.function, self.length, one.offset, one.at, self.within)


def leaves(tree: grammar.Expr) -> list[Leaf]:
    """Every selector of a query."""
    found: list[Leaf] = []
    waiting: list[tuple[grammar.Expr, str, int]] = [(tree, "", 0)]
    subqueries = 0
    while waiting:
        node, function, within = waiting.pop()
        node = unwrapped(node)
        if isinstance(node, grammar.VectorSelector):
            found.append(Leaf(selector(node), function, 0, within))
        elif isinstance(node, grammar.MatrixSelector):
            length = milliseconds(node.range)
            found.append(Leaf(selector(node.vector_selector), function, length, within))
        else:
            if isinstance(node, grammar.SubqueryExpr):
                subqueries += 1
                within = subqueries
            name = node.func.name if isinstance(node, grammar.Call) else ""
            waiting += [(child, name, within) for child in children(node)]
    return found
