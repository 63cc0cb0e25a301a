"""A map of services as a picture: callers on the left, what they call to their right. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from steerway.telemetry.traces.rules.search import Edge, Node, ServiceMap

COLUMN: Final = 250
ROW: Final = 92
BOX: Final = (180, 60)
MARGIN: Final = 16
NODES_MAX: Final = 60
ROUNDS: Final = 4  # of putting each node near those it speaks with
WIDE: Final = (1.2, 5.0)


@dataclass(frozen=True, slots=True)
class Box:
    """A service in its place."""

    node: Node
    x: float
    y: float
    tone: str

    @property
    def failed_ratio(self) -> float:
        """The share of its calls that failed."""
        return self.node.errors / self.node.calls if self.node.calls else 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """Calls from one box to another, as a curve."""

    edge: Edge
    path: str
    width: float
    tone: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole map. `hidden`: services that found no room."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: float
    height: float
    hidden: int


def picture(found: ServiceMap) -> Picture:
    """Where everything stands."""
    nodes = {one.name: one for one in _nodes(found)[:NODES_MAX]}
    edges = [e for e in found.edges if e.caller in nodes and e.callee in nodes]
    columns = _columns(nodes, edges)
    order = _ordered(columns, edges)
    boxes: dict[str, Box] = {}
    tallest = max((len(names) for names in order), default=0)
    for column, names in enumerate(order):
        first = (tallest - len(names)) * ROW / 2
        for row, name in enumerate(names):
            x, y = MARGIN + column * COLUMN, MARGIN + first + row * ROW
            boxes[name] = Box(nodes[name], x, y, _tone(nodes[name].errors, nodes[name].calls))
    most = max((edge.calls for edge in edges), default=1)
    return Picture(
        boxes=tuple(boxes.values()),
        lines=tuple(_line(edge, boxes, most) for edge in edges),
        width=MARGIN * 2 + max(0, len(order) - 1) * COLUMN + BOX[0],
        height=MARGIN * 2 + max(0, tallest - 1) * ROW + BOX[1],
        hidden=len(_nodes(found)) - len(nodes),
    )


def _nodes(found: ServiceMap) -> list[Node]:
    """Nodes by calls; whoever only calls has no row of its own in the answer."""
    named = {one.name: one for one in found.nodes}
    for edge in found.edges:
        if edge.caller not in named:
            named[edge.caller] = Node(
                name=edge.caller, kind="caller", calls=0, errors=0, p95=edge.p95 * 0
            )
    return sorted(named.values(), key=lambda one: (-one.calls, one.name))


def _columns(nodes: Mapping[str, Node], edges: Sequence[Edge]) -> dict[str, int]:
    """How far from the first caller each stands; calls in a circle end after all were moved."""
    column = dict.fromkeys(nodes, 0)
    for _ in range(min(len(nodes), 12)):
        moved = False
        for edge in edges:
            wanted = column[edge.caller] + 1
            if edge.caller != edge.callee and column[edge.callee] < wanted < len(nodes):
                column[edge.callee] = wanted
                moved = True
        if not moved:
            break
    known = sorted(set(column.values()))
    return {name: known.index(at) for name, at in column.items()}


def _ordered(columns: Mapping[str, int], edges: Sequence[Edge]) -> list[list[str]]:
    """The names of each column from top to bottom, so that few lines cross.

    Source: Sugiyama, Tagawa and Toda (1981): each node at the mean of its neighbours.
    """
    order: list[list[str]] = [[] for _ in range(max(columns.values(), default=-1) + 1)]
    for name, at in columns.items():
        order[at].append(name)
    beside = defaultdict(set)
    for edge in edges:
        beside[edge.caller].add(edge.callee)
        beside[edge.callee].add(edge.caller)
    for _ in range(ROUNDS):
        place = {name: row for names in order for row, name in enumerate(names)}
        means = {
            name: sum(place[one] for one in beside[name]) / len(beside[name])
            if beside[name]
            else place[name]
            for name in place
        }
        for names in order:
            names.sort(key=lambda name: (means[name], name))
    return order


def _line(edge: Edge, boxes: Mapping[str, Box], most: int) -> Line:
    start, end = boxes[edge.caller], boxes[edge.callee]
    x1, y1 = start.x + BOX[0], start.y + BOX[1] / 2
    x2, y2 = end.x, end.y + BOX[1] / 2
    bend = max(50.0, abs(x2 - x1) / 2)
    thin, wide = WIDE
    return Line(
        edge,
        f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}",
        round(thin + (wide - thin) * (edge.calls / most) ** 0.5, 2),
        _tone(edge.errors, edge.calls),
        (x1 + x2) / 2,
        (y1 + y2) / 2 - 6,
    )


def _tone(errors: int, calls: int) -> str:
    """Bad from one failure in twenty, which nobody would call noise."""
    if not errors or not calls:
        return "idle"
    return "bad" if errors / calls >= 0.05 else "warn"  # noqa: PLR2004 -- see above
