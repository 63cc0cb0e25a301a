"""The spans of a trace as a tree."""

from datetime import timedelta
from typing import Any

from steerway.telemetry.traces.rules.waterfall import Span, Waterfall, waterfall
from tests.cast import NOON

MS = timedelta(milliseconds=1)


def span(span_id: str, parent: str = "", start: int = 0, length: int = 10, **rest: Any) -> Span:
    return Span(
        span_id=span_id, parent_id=parent, ts=NOON + start * MS, duration=length * MS,
        service="shop", name=span_id, **rest,
    )  # fmt: skip


def shape(found: Waterfall) -> list[tuple[int, str]]:
    return [(row.depth, row.span.name or row.span.kind) for row in found.rows]


def test_children_stand_under_their_parent_in_the_order_of_time() -> None:
    found = waterfall("t", [span("c", "a", 5), span("a", length=30), span("d", "b", 2),
                            span("b", "a", 1)])  # fmt: skip

    assert shape(found) == [(0, "a"), (1, "b"), (2, "d"), (1, "c")]
    assert [row.offset for row in found.rows] == [0 * MS, 1 * MS, 2 * MS, 5 * MS]
    assert (found.starts_at, found.duration, found.missing) == (NOON, 30 * MS, 0)


def test_a_parent_that_nobody_sent_is_shown_as_missing() -> None:
    found = waterfall("t", [span("b", "lost", 3), span("c", "lost", 20)])

    assert shape(found) == [(0, "missing"), (1, "b"), (1, "c")]
    assert (found.missing, found.rows[0].span.duration) == (1, 27 * MS)


def test_a_circle_of_parents_is_shown_and_ends() -> None:
    found = waterfall("t", [span("a", "b"), span("b", "a"), span("c", "c")])

    assert sorted(name for _, name in shape(found)) == ["a", "b", "c"]


def test_a_span_that_was_sent_twice_is_shown_once() -> None:
    assert shape(waterfall("t", [span("a"), span("a")])) == [(0, "a")]


def test_a_deep_trace_is_no_problem() -> None:
    spans = [span(str(n), str(n - 1) if n else "") for n in range(3000)]

    assert waterfall("t", spans).rows[-1].depth == 2999


def test_own_time_is_what_no_child_covers() -> None:
    found = waterfall("t", [span("a", length=100), span("b", "a", 10, 30), span("c", "a", 20, 40),
                            span("d", "a", 90, 50)])  # fmt: skip

    assert found.rows[0].own == 40 * MS


def test_the_critical_path_is_what_the_end_waited_for() -> None:
    inner = [span("fast", "a", 0, 20), span("slow", "a", 0, 60), span("last", "a", 60, 40)]

    found = waterfall("t", [span("a", length=100), *inner, span("aside", "a", 65, 5)])

    assert {r.span.name for r in found.rows if r.is_critical} == {"a", "slow", "last"}


def test_errors_and_services_are_counted() -> None:
    found = waterfall("t", [span("a", status="error"), span("b", "a", status="ok")])

    assert (found.errors, found.services) == (1, ("shop",))
