"""Log records and spans of OTLP become rows."""

import gzip
from typing import Any

from steerway.telemetry.receiving.workflows import Receiver
from steerway.telemetry.store import Store
from tests.telemetry.receiving.conftest import NOW_NS, RESOURCE, L, T, attributes

TRACE, SPAN, PARENT = bytes(range(16)), bytes(range(8)), bytes(range(1, 9))


def logs_body(*records: dict[str, Any]) -> bytes:
    scope = {"scope": {"name": "shop.pay"}, "log_records": list(records)}
    request = L["Request"](resource_logs=[{"resource": RESOURCE, "scope_logs": [scope]}])
    return request.SerializeToString()


def spans_body(*spans: dict[str, Any]) -> bytes:
    request = T["Request"](
        resource_spans=[{"resource": RESOURCE, "scope_spans": [{"spans": list(spans)}]}]
    )
    return request.SerializeToString()


def test_a_log_record_becomes_a_line(receiver: Receiver, store: Store) -> None:
    record = {
        "time_unix_nano": NOW_NS,
        "severity_number": 17,
        "body": {"string_value": "payment failed"},
        "attributes": attributes(order="7"),
        "trace_id": TRACE,
        "span_id": SPAN,
    }

    body = gzip.compress(logs_body(record))
    receiver.logs(body, "gzip", is_json=False).stored.result()

    row = store.table("SELECT * FROM logs").to_pylist()[0]
    row.pop("ts")
    assert row == {
        "service": "shop",
        "environment": "",
        "version": "v2",
        "instance": "r1",
        "source": "otlp",
        "severity": 17,
        "body": "payment failed",
        "attributes": [("order", "7"), ("otel.scope.name", "shop.pay")],
        "trace_id": TRACE.hex(),
        "span_id": SPAN.hex(),
    }


def test_structured_bodies_and_named_severities_are_kept(receiver: Receiver, store: Store) -> None:
    parts = {"values": [{"key": "a", "value": {"array_value": {"values": [{"int_value": 1}]}}}]}
    records = [
        {"observed_time_unix_nano": NOW_NS, "body": {"kvlist_value": parts}},
        {"severity_text": "Warn", "body": {"double_value": 1.5}},
        {"event_name": "cart.emptied", "body": {}},
    ]

    receiver.logs(logs_body(*records), "", is_json=False).stored.result()

    rows = store.table("SELECT body, severity FROM logs ORDER BY body").to_pylist()
    assert [(row["body"], row["severity"]) for row in rows] == [
        ("1.5", 13),
        ("cart.emptied", 0),
        ('{"a":[1]}', 0),
    ]


def test_a_body_that_comes_again_is_stored_once(receiver: Receiver, store: Store) -> None:
    body = logs_body({"time_unix_nano": NOW_NS, "body": {"string_value": "once"}})

    for _ in range(2):
        receiver.logs(body, "", is_json=False).stored.result()

    assert store.table("SELECT count() AS n FROM logs")["n"][0].as_py() == 1


def test_a_span_becomes_a_row(receiver: Receiver, store: Store) -> None:
    span = {
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_span_id": PARENT,
        "name": "POST /pay",
        "kind": 2,
        "start_time_unix_nano": NOW_NS,
        "end_time_unix_nano": NOW_NS + 2_500_000,
        "attributes": attributes(http_route="/pay"),
        "status": {"code": 2, "message": "declined"},
        "events": [{"time_unix_nano": NOW_NS, "name": "retry", "attributes": attributes(n="1")}],
        "links": [{"trace_id": TRACE, "span_id": PARENT}],
    }
    nameless = {"trace_id": TRACE, "span_id": b"short", "start_time_unix_nano": NOW_NS}

    received = receiver.spans(spans_body(span, nameless), "", is_json=False)
    received.stored.result()

    assert received.refusals.counts == {"id": 1}
    row = store.table("SELECT * FROM spans").to_pylist()[0]
    assert (row["name"], row["kind"], row["status"], row["status_message"]) == (
        "POST /pay",
        "server",
        "error",
        "declined",
    )
    assert (row["trace_id"], row["span_id"], row["parent_id"], row["duration_ns"]) == (
        TRACE.hex(),
        SPAN.hex(),
        PARENT.hex(),
        2_500_000,
    )
    assert row["attributes"] == [("http.route", "/pay")]
    assert [(event["name"], event["attributes"]) for event in row["events"]] == [
        ("retry", [("n", "1")])
    ]
    assert [link["span_id"] for link in row["links"]] == [PARENT.hex()]


def test_lines_of_a_wrong_clock_are_refused(receiver: Receiver) -> None:
    body = logs_body({"time_unix_nano": 5, "body": {"string_value": "1970"}})

    assert receiver.logs(body, "", is_json=False).refusals.counts == {"too-old": 1}
