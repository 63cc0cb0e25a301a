"""Finding traces again, in the real store."""

from datetime import timedelta

import pytest

from steerway.telemetry.store import Store
from steerway.telemetry.traces import queries
from steerway.telemetry.traces.errors import TraceFilterInvalid, TraceUnknown
from tests.cast import NOON
from tests.telemetry.traces.walking import HOUR, everything, ids, requested, span, walked

MS = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["b", "a"]),
        ({"service": "ledger"}, ["a"]),
        ({"name": "GET /cart"}, ["b", "a"]),
        ({"status": "error"}, ["b"]),
        ({"min_duration": 50 * MS}, ["a"]),
        ({"service": "ledger", "min_duration": 50 * MS}, []),
        ({"attributes": {"user": "eve"}}, ["b"]),
        ({"kind": "client"}, ["a"]),
    ],
)
def test_a_trace_is_found_by_a_span_that_is_all_of_it(
    store: Store, asked: dict[str, object], found: list[str]
) -> None:
    walked(
        store,
        span("a", "1", name="GET /cart", duration=100 * MS),
        span("a", "2", "1", service="ledger", kind="client", duration=20 * MS),
        span("b", "1", name="GET /cart", start=1000 * MS, status="error", user="eve"),
    )

    assert ids(queries.search(store, everything(**asked))) == found


def test_a_trace_in_a_list_says_what_it_was(store: Store) -> None:
    walked(
        store,
        span("a", "2", "1", service="ledger", start=5 * MS, duration=200 * MS, status="error"),
        span("a", "1", name="GET /cart", duration=100 * MS),
    )

    (one,) = queries.search(store, everything()).traces

    assert (one.service, one.name, one.services) == ("shop", "GET /cart", ("ledger", "shop"))
    assert (one.spans, one.errors, one.duration) == (2, 1, 205 * MS)
    assert one.starts_at == NOON


def test_pages_of_traces_continue_without_gap_or_repeat(store: Store) -> None:
    spread = [span(f"{n % 9}", str(n), start=(n * 700_000 % 3_000_000) * MS) for n in range(40)]
    walked(store, *spread)

    seen, after = [], ""
    for _ in range(3):
        page = queries.search(store, everything(), rows=4, after=after)
        seen += ids(page)
        after = page.next

    assert after == ""
    assert sorted(seen) == sorted(str(n) for n in range(9))


def test_a_cursor_of_traces_that_is_not_ours_is_refused(store: Store) -> None:
    with pytest.raises(TraceFilterInvalid, match="after"):
        queries.search(store, everything(), after="x")


def test_a_trace_that_nobody_sent_is_unknown(store: Store) -> None:
    with pytest.raises(TraceUnknown, match="may be older"):
        queries.trace(store, "a" * 32)


def test_the_router_stands_above_the_first_span_of_the_service(store: Store) -> None:
    walked(store, span("a", "1", start=2 * MS, duration=10 * MS, kind="server"))
    requested(store, "a", duration_ms=14.0, attempts=2)

    found = queries.trace(store, "a".rjust(32, "0"))

    assert [(row.span.kind, row.depth) for row in found.rows] == [("router", 0), ("server", 1)]
    assert found.rows[0].span.attributes["attempts"] == "2"
    assert found.duration == 14 * MS


def test_the_map_says_who_calls_whom(store: Store) -> None:
    walked(
        store,
        span("a", "1", kind="server"),
        span("a", "2", "1", kind="client"),
        span("a", "3", "2", service="ledger", kind="server", status="error", duration=30 * MS),
        span(
            "a", "4", "3", service="ledger", kind="client", duration=9 * MS, **{"db.system": "pg"}
        ),
    )

    found = queries.service_map(store, since=NOON - HOUR, until=NOON + HOUR)

    edges = {(e.caller, e.callee): (e.calls, e.errors, e.p95) for e in found.edges}
    assert edges == {("shop", "ledger"): (1, 1, 30 * MS), ("ledger", "pg"): (1, 0, 9 * MS)}
    assert {(n.name, n.kind, n.calls) for n in found.nodes} == {
        ("shop", "service", 1), ("ledger", "service", 1), ("pg", "database", 1),
    }  # fmt: skip
    assert found.kept_ratio == 1


def test_the_map_of_too_many_spans_is_made_of_some_traces(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "JOINED_MAX", 100)
    walked(store, *(span(f"{n}", "1", kind="server") for n in range(400)))

    found = queries.service_map(store, since=NOON - HOUR, until=NOON + HOUR)

    assert found.kept_ratio == 0.25
    assert found.nodes[0].calls == pytest.approx(400, rel=0.4)
