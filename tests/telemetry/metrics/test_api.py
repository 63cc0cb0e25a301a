"""Prometheus' HTTP API: the requests that Grafana makes, and what goes wrong."""

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import pytest

from steerway.app.prometheus import Prometheus
from steerway.platform.settings import load
from steerway.telemetry.metrics import api
from steerway.telemetry.metrics.api import Asked
from steerway.telemetry.metrics.rules import QueryLimits
from steerway.telemetry.store import Cancel, Cancelled, Store, StoreDown
from tests.telemetry.seeding import at, seed, seed_samples

NOON = 1_790_000_000
Params = Sequence[tuple[str, str]]


@pytest.fixture
def shop(store: Store) -> Store:
    """Five minutes of two processes of a shop."""
    times = range(NOON - 300, NOON + 1, 15)
    for code, rise in (("200", 3.0), ("500", 1.0)):
        labels = {"service": "shop", "code": code}
        seed_samples(store, "hits_total", labels, [(t, rise * (t - NOON + 300)) for t in times])
    seed_samples(store, "up", {"service": "shop"}, [(t, 1.0) for t in times])
    return store


@pytest.fixture
def door(shop: Store) -> Iterator[Prometheus]:
    yield from opened(shop)


def opened(store: Store, **limits: Any) -> Iterator[Prometheus]:
    door = Prometheus(lambda: store, lambda _: True, QueryLimits(**limits))
    yield door
    asyncio.run(door.close())


def ask(
    door: Prometheus,
    path: str,
    params: Params = (),
    *,
    form: bool = False,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> tuple[int, Any]:
    """Status and JSON (or text) of an answer."""
    status, _, body = exchange(door, path, params, form=form, headers=headers)
    return status, json.loads(body) if body.startswith(b"{") else body.decode()


def exchange(
    door: Prometheus,
    path: str,
    params: Params,
    *,
    form: bool = False,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Any] = []
    encoded = urlencode(params).encode()
    body = [{"type": "http.request", "body": encoded if form else b"", "more_body": False}]
    given = dict(headers)
    if form:
        given[b"content-type"] = b"application/x-www-form-urlencoded"
    scope: Any = {
        "type": "http",
        "method": "POST" if form else "GET",
        "path": path,
        "query_string": b"" if form else encoded,
        "headers": list(given.items()),
        "client": ("192.0.2.7", 4000),
    }

    async def receive() -> Any:
        if body:
            return body.pop()
        return await asyncio.Event().wait()

    async def send(event: Any) -> None:
        sent.append(event)

    asyncio.run(door(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def test_grafana_finds_out_what_it_speaks_to(door: Prometheus) -> None:
    status, found = ask(door, "/api/v1/status/buildinfo")

    assert status == 200
    assert found["status"] == "success"
    assert found["data"]["version"].startswith("3.")


def test_grafana_tests_its_data_source(door: Prometheus) -> None:
    params = [("query", "1+1"), ("time", f"{NOON}.5")]

    status, found = ask(door, "/api/v1/query", params, form=True)

    assert status == 200
    assert found["data"] == {"resultType": "scalar", "result": [NOON + 0.5, "2"]}


def test_grafana_draws_a_panel(door: Prometheus) -> None:
    params = [
        ("query", "sum by (code) (rate(hits_total[1m]))"),
        ("start", str(NOON - 60)),
        ("end", str(NOON)),
        ("step", "30"),
    ]

    status, found = ask(door, "/api/v1/query_range", params, form=True)

    assert status == 200
    assert found["data"]["resultType"] == "matrix"
    assert [series["metric"] for series in found["data"]["result"]] == [
        {"code": "200"},
        {"code": "500"},
    ]
    moments = [moment for moment, _ in found["data"]["result"][0]["values"]]
    assert moments == [NOON - 60, NOON - 30, NOON]
    rates = [float(value) for _, value in found["data"]["result"][0]["values"]]
    assert rates == pytest.approx([3.0, 3.0, 3.0])


def test_grafana_fills_its_query_builder(door: Prometheus) -> None:
    span = [("start", str(NOON - 300)), ("end", str(NOON))]

    assert ask(door, "/api/v1/labels", span, form=True)[1]["data"] == [
        "__name__",
        "code",
        "service",
    ]
    assert ask(door, "/api/v1/label/__name__/values", span)[1]["data"] == ["hits_total", "up"]
    matched = [*span, ("match[]", 'hits_total{code!="200"}')]
    assert ask(door, "/api/v1/label/code/values", matched)[1]["data"] == ["500"]
    assert ask(door, "/api/v1/labels", [("match[]", "up")])[1]["data"] == ["__name__", "service"]
    series = [*span, ("match[]", "up"), ("match[]", "{code='500'}"), ("match[]", "up")]
    assert ask(door, "/api/v1/series", series, form=True)[1]["data"] == [
        {"__name__": "hits_total", "code": "500", "service": "shop"},
        {"__name__": "up", "service": "shop"},
    ]


def test_series_of_another_time_are_not_listed(door: Prometheus) -> None:
    span = [("start", str(NOON + 3600)), ("end", str(NOON + 7200)), ("match[]", "up")]

    assert ask(door, "/api/v1/series", span)[1]["data"] == []


def test_grafana_asks_for_what_we_do_not_have(door: Prometheus) -> None:
    assert ask(door, "/api/v1/rules")[1]["data"] == {"groups": []}
    assert ask(door, "/api/v1/alerts")[1]["data"] == {"alerts": []}


def test_metadata_says_what_a_metric_is(door: Prometheus, shop: Store) -> None:
    row = {"metric": "hits_total", "type": "counter", "unit": "", "help": "Hits."}
    seed(shop, "metadata", [{**row, "seen_at": at(NOON)}])

    _, found = ask(door, "/api/v1/metadata", [("metric", "hits_total")])

    assert found["data"] == {"hits_total": [{"type": "counter", "unit": "", "help": "Hits."}]}


def test_exemplars_lead_to_traces(door: Prometheus, shop: Store) -> None:
    labels = {"service": "shop", "code": "500"}
    number = seed_samples(shop, "hits_total", labels, [(NOON, 9.0)])
    row = {"metric": "hits_total", "id": number, "ts": at(NOON), "value": 0.25}
    seed(shop, "exemplars", [{**row, "trace_id": "ab" * 16, "span_id": "", "labels": {"x": "y"}}])
    params = [("query", "rate(hits_total[5m])"), ("start", str(NOON - 9)), ("end", str(NOON))]

    _, found = ask(door, "/api/v1/query_exemplars", params)

    assert found["data"] == [
        {
            "seriesLabels": {"__name__": "hits_total", **labels},
            "exemplars": [
                {
                    "labels": {"x": "y", "trace_id": "ab" * 16},
                    "value": "0.25",
                    "timestamp": NOON,
                }
            ],
        }
    ]


def test_a_query_is_formatted(door: Prometheus) -> None:
    _, found = ask(door, "/api/v1/format_query", [("query", "sum(rate( up [5m]))by(x)")])

    assert found["data"] == "sum by (x) (rate(up[5m]))"


@pytest.mark.parametrize(
    ("path", "params", "kind"),
    [
        ("query", [("query", "up{")], "bad_data"),
        ("query", [("query", "")], "bad_data"),
        ("query", [("query", "up"), ("time", "noon")], "bad_data"),
        ("query", [("query", "up"), ("limit", "-1")], "bad_data"),
        ("query_range", [("query", "up")], "bad_data"),
        ("query_range", [("query", "up"), ("start", "9"), ("end", "1"), ("step", "1")], "bad_data"),
        ("query_range", [("query", "up"), ("start", "0"), ("end", "1"), ("step", "0")], "bad_data"),
        (
            "query_range",
            [("query", "up"), ("start", "0"), ("end", "11000"), ("step", "1")],
            "bad_data",
        ),
        (
            "query_range",
            [("query", "up[5m]"), ("start", "0"), ("end", "1"), ("step", "1")],
            "bad_data",
        ),
        ("series", [], "bad_data"),
        ("series", [("match[]", "up + up")], "bad_data"),
        ("query", [("query", "up * on() hits_total"), ("time", str(NOON))], "execution"),
    ],
)
def test_what_goes_wrong_is_said_as_prometheus_says_it(
    door: Prometheus, path: str, params: Params, kind: str
) -> None:
    status, found = ask(door, f"/api/v1/{path}", params)

    assert (status, found["errorType"]) == ({"bad_data": 400, "execution": 422}[kind], kind)
    assert found["status"] == "error"
    assert found["error"]


def test_a_query_that_needs_too_many_samples_is_refused(shop: Store) -> None:
    params = [("query", "hits_total"), ("start", str(NOON - 60)), ("end", str(NOON)), ("step", "1")]

    for door in opened(shop, cells=100):
        status, found = ask(door, "/api/v1/query_range", params)

    assert (status, found["errorType"]) == (422, "execution")
    assert "too many samples" in found["error"]


def test_a_query_that_takes_too_long_is_stopped(shop: Store) -> None:
    for door in opened(shop, seconds=0.0):
        status, found = ask(door, "/api/v1/query", [("query", "up")])

    assert (status, found["errorType"]) == (503, "timeout")


def test_a_store_that_is_not_open_is_no_empty_answer() -> None:
    def down() -> Store:
        raise StoreDown(why="starting")

    door = Prometheus(down, lambda _: True, QueryLimits())
    status, found = ask(door, "/api/v1/query", [("query", "up")])
    asyncio.run(door.close())

    assert (status, found["errorType"]) == (503, "unavailable")


def test_who_may_not_read_gets_nothing(shop: Store) -> None:
    door = Prometheus(lambda: shop, lambda _: False, QueryLimits())
    status, headers, _ = exchange(door, "/api/v1/query", [("query", "up")])
    asyncio.run(door.close())

    assert status == 401
    assert headers[b"www-authenticate"].startswith(b"Basic")


def test_long_answers_are_packed_for_who_can_unpack_them(door: Prometheus) -> None:
    params = [("query", "up"), ("start", str(NOON - 299)), ("end", str(NOON)), ("step", "0.1")]

    _, headers, body = exchange(
        door, "/api/v1/query_range", params, headers=[(b"accept-encoding", b"gzip")]
    )

    assert headers[b"content-encoding"] == b"gzip"
    assert json.loads(gzip.decompress(body))["data"]["resultType"] == "matrix"


def test_a_prometheus_may_federate(door: Prometheus, shop: Store) -> None:
    moments = [(0.0, 1.0)]
    seed_samples(shop, "odd", {"text": 'a"b\\c\nd'}, moments)

    status, found = ask(door, "/federate", [("match[]", "{__name__=~'up|nothing'}")])

    assert status == 200
    assert found == ""  # what is older than five minutes is gone


def test_what_is_federated_has_the_moments_at_which_it_was_taken(shop: Store) -> None:
    seed_samples(shop, "odd", {"text": 'a"b\\c\nd'}, [(NOON - 7, 0.5)])
    params = {"match[]": ["up", "odd", '{service="shop", __name__="up"}']}

    reply = api.answer(lambda: shop, Asked("/federate", params, at(NOON), QueryLimits(), Cancel()))

    assert reply.body.decode().splitlines() == [
        "# TYPE up untyped",
        f'up{{service="shop"}} 1 {NOON}000',
        "# TYPE odd untyped",
        f'odd{{text="a\\"b\\\\c\\nd"}} 0.5 {NOON - 7}000',
    ]


def test_whoever_leaves_takes_the_query_along(shop: Store) -> None:
    started = threading.Event()

    class Slow:
        layout = shop.layout

        def table(
            self, sql: str, params: Any = None, *, limits: Any = None, cancel: Any = None
        ) -> Any:
            """Wait until the query is cancelled, as the engine does."""
            if cancel is None:
                return shop.table(sql, params)
            gone = threading.Event()
            cancel.arm(gone.set)
            started.set()
            gone.wait()
            raise Cancelled

    events = [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        if events:
            return events.pop()
        await asyncio.to_thread(started.wait, 60)
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        sent.append(event)

    door = Prometheus(Slow, lambda _: True, QueryLimits())  # type: ignore[arg-type]  # the store's one method
    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/query",
        "query_string": urlencode({"query": "up", "time": str(NOON)}).encode(),
        "headers": [],
        "client": ("192.0.2.7", 4000),
    }

    async def leave() -> None:
        await door(scope, receive, send)
        await door.close()

    asyncio.run(leave())

    assert sent == []


def test_limits_are_settings() -> None:
    found = load({"STEERWAY_HOME": "/nowhere", "STEERWAY_QUERY_SECONDS": "5"})

    assert found.query_seconds == 5
