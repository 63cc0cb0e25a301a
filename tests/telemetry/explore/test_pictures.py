"""Where things stand: bars of lines, the map of services, spans of a trace."""

from datetime import timedelta

from steerway.telemetry.explore.pages.traces import bars as fall_bars
from steerway.telemetry.explore.rules.bars import HEIGHT, WIDTH, bars
from steerway.telemetry.explore.rules.mapping import picture
from steerway.telemetry.logs.rules.search import Bar, Histogram
from steerway.telemetry.traces.rules.search import Edge, Node, ServiceMap
from steerway.telemetry.traces.rules.waterfall import Span, waterfall
from tests.cast import NOON

MINUTE = timedelta(minutes=1)
MS = timedelta(milliseconds=1)


def node(name: str, calls: int = 10, errors: int = 0) -> Node:
    return Node(name=name, kind="service", calls=calls, errors=errors, p95=20 * MS)


def edge(caller: str, callee: str, errors: int = 0) -> Edge:
    return Edge(caller=caller, callee=callee, calls=10, errors=errors, p95=20 * MS)


def span(id_: str, parent: str, after: int, took: int, status: str = "ok") -> Span:
    return Span(
        span_id=id_,
        parent_id=parent,
        ts=NOON + after * MS,
        duration=took * MS,
        service="shop",
        status=status,
    )


def test_bars_stand_at_their_time_and_the_busiest_is_the_tallest() -> None:
    found = Histogram(
        MINUTE,
        (Bar(NOON, {"info": 5}), Bar(NOON + 5 * MINUTE, {"error": 2, "info": 8})),
        15,
    )

    shown = bars(found, since=NOON, until=NOON + 10 * MINUTE)

    assert [bar.x for bar in shown] == [0, WIDTH / 2]
    assert [piece.tone for piece in shown[1].pieces] == ["bad", "info"]
    assert sum(piece.height for piece in shown[1].pieces) == HEIGHT
    assert sum(piece.height for piece in shown[0].pieces) == HEIGHT / 2
    assert shown[1].query == "from=2026-03-02T12:05:00Z&until=2026-03-02T12:06:00Z"


def test_callers_stand_left_of_what_they_call() -> None:
    found = ServiceMap(
        (node("web"), node("shop"), node("ledger", errors=1)),
        (edge("web", "shop"), edge("shop", "ledger", errors=1), edge("web", "ledger")),
        1.0,
    )

    shown = picture(found)

    at = {box.node.name: box.x for box in shown.boxes}
    assert at["web"] < at["shop"] < at["ledger"]
    assert {line.edge.callee: line.tone for line in shown.lines if line.edge.errors} == {
        "ledger": "bad"
    }


def test_services_that_call_each_other_in_a_circle_have_a_place() -> None:
    found = ServiceMap(
        (node("a"), node("b"), node("c")), (edge("a", "b"), edge("b", "c"), edge("c", "a")), 1.0
    )

    shown = picture(found)

    assert len({(box.x, box.y) for box in shown.boxes}) == 3
    assert len(shown.lines) == 3


def test_a_service_that_only_calls_is_on_the_map() -> None:
    shown = picture(ServiceMap((node("shop"),), (edge("cron", "shop"),), 1.0))

    assert {box.node.name: box.node.kind for box in shown.boxes} == {
        "shop": "service",
        "cron": "caller",
    }


def test_the_busiest_services_are_shown_when_there_are_too_many() -> None:
    shown = picture(ServiceMap(tuple(node(f"s{n}", n) for n in range(80)), (), 1.0))

    assert (len(shown.boxes), shown.hidden) == (60, 20)


def test_a_span_stands_where_it_ran() -> None:
    fall = waterfall("t", [span("a", "", 0, 100), span("b", "a", 25, 50, "error")])

    shown = fall_bars(fall)

    assert [(bar.x, bar.width) for bar in shown] == [(0, 100), (25, 50)]
    assert [bar.tone for bar in shown] == ["s1", "bad"]
