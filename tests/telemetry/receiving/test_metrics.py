"""Metrics of OTLP become series as Prometheus has them."""

import json
from typing import Any

import numpy as np
import pytest

from steerway.telemetry.decoding.names import bound_text, label_name, metric_name
from steerway.telemetry.receiving.workflows import Receiver
from steerway.telemetry.store import Store
from tests.telemetry.receiving.conftest import (
    NOW_MS,
    NOW_NS,
    RESOURCE,
    STALE_BITS,
    attributes,
    metrics_body,
)

ROWS = """
SELECT metric, labels, (toUnixTimestamp64Milli(ts) - {now:Int64}) AS ms, value
FROM samples INNER JOIN (SELECT id, any(labels) AS labels FROM series GROUP BY id) AS s USING (id)
ORDER BY metric, mapSort(labels)['le'] = '+Inf', labels['le'], ts
"""


def point(value: float, *, at: int = 0, **labels: str) -> dict[str, Any]:
    times = {"start_time_unix_nano": NOW_NS - 10**9, "time_unix_nano": NOW_NS + at * 1_000_000}
    return {**times, "as_double": value, "attributes": attributes(**labels)}


def counter(name: str, *points: dict[str, Any], unit: str = "", temporality: int = 2) -> Any:
    data = {
        "data_points": list(points),
        "aggregation_temporality": temporality,
        "is_monotonic": True,
    }
    return {"name": name, "unit": unit, "sum": data}


def send(receiver: Receiver, *metrics: dict[str, Any]) -> dict[str, int]:
    received = receiver.metrics(metrics_body(*metrics), "", is_json=False)
    received.stored.result()
    return dict(received.refusals.counts)


def rows(store: Store) -> list[tuple[str, dict[str, str], int, float]]:
    found = store.table(ROWS, {"now": NOW_MS}).to_pylist()
    return [(row["metric"], dict(row["labels"]), row["ms"], row["value"]) for row in found]


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        ("http.server.duration", "ms", "", "http_server_duration_milliseconds"),
        ("http.server.duration", "s", "", "http_server_duration_seconds"),
        ("orders", "", "counter", "orders_total"),
        ("orders.total", "", "counter", "orders_total"),
        ("orders", "{order}", "counter", "orders_total"),
        ("disk.io", "By/s", "", "disk_io_bytes_per_second"),
        ("cpu.utilization", "1", "gauge", "cpu_utilization_ratio"),
        ("cpu.utilization", "1", "counter", "cpu_utilization_total"),
        ("memory.bytes", "By", "", "memory_bytes"),
        ("2xx", "", "", "_2xx"),
        ("a  b--c", "", "", "a_b_c"),
        ("battery", "%", "gauge", "battery_percent"),
    ],
)
def test_a_metric_is_named_as_prometheus_names_it(
    name: str, unit: str, kind: str, expected: str
) -> None:
    found = metric_name(name, unit, is_counter=kind == "counter", is_gauge=kind == "gauge")

    assert found == expected


def test_labels_and_bounds_are_written_as_prometheus_writes_them() -> None:
    assert [label_name(name) for name in ("http.route", "_x", "__y", "1st")] == [
        "http_route",
        "key_x",
        "__y",
        "key_1st",
    ]
    assert [bound_text(bound) for bound in (0.005, 10.0, np.inf)] == ["0.005", "10", "+Inf"]


def test_a_counter_gets_its_common_labels(receiver: Receiver, store: Store) -> None:
    send(receiver, counter("orders", point(7.0, http_route="/pay", service="mine")))

    labels = {"service": "shop", "version": "v2", "instance": "r1", "job": "shop"}
    labels |= {"http_route": "/pay", "exported_service": "mine"}
    assert rows(store) == [("orders_total", labels, 0, 7.0)]
    described = store.table("SELECT metric, type FROM metadata").to_pylist()
    assert described == [{"metric": "orders_total", "type": "counter"}]


def test_known_points_are_read_like_unknown_ones(receiver: Receiver, store: Store) -> None:
    bare = {"time_unix_nano": NOW_NS, "as_int": -3, "attributes": attributes(a="b")}
    later = {**bare, "time_unix_nano": NOW_NS + 1_000_000, "as_int": -4}
    gone = {**bare, "time_unix_nano": NOW_NS + 2_000_000, "flags": 1}
    queue = [{"name": "queue", "gauge": {"data_points": [one]}} for one in (bare, later, gone)]
    for at, gauge in enumerate(queue):
        send(receiver, counter("orders", point(at * 1.5, at=at), point(0.0, at=at, x="y")), gauge)

    found = rows(store)
    assert [(ms, value) for metric, *_, ms, value in found if metric == "queue"][:2] == [
        (0, -3.0),
        (1, -4.0),
    ]
    last = store.table("SELECT value FROM samples WHERE metric = 'queue' ORDER BY ts")["value"]
    assert last.to_numpy().view(np.uint64)[-1] == STALE_BITS
    orders = [(ms, value) for metric, labels, ms, value in found if "x" not in labels]
    assert [row for row in orders if row[1] in (0.0, 1.5, 3.0)] == [(0, 0.0), (1, 1.5), (2, 3.0)]


def histogram(at: int, counts: list[int], temporality: int = 2) -> dict[str, Any]:
    one = {
        "time_unix_nano": NOW_NS + at * 1_000_000,
        "count": sum(counts),
        "sum": 4.5,
        "bucket_counts": counts,
        "explicit_bounds": [0.1, 1.0],
    }
    data = {"data_points": [one], "aggregation_temporality": temporality}
    return {"name": "latency", "unit": "s", "histogram": data}


def test_a_histogram_becomes_buckets_that_add_up(receiver: Receiver, store: Store) -> None:
    send(receiver, histogram(0, [1, 2, 3]))
    send(receiver, histogram(1, [2, 3, 4]))

    values = [
        (metric.removeprefix("latency_seconds_"), labels.get("le"), ms, value)
        for metric, labels, ms, value in rows(store)
    ]
    assert values == [
        ("bucket", "0.1", 0, 1.0),
        ("bucket", "0.1", 1, 2.0),
        ("bucket", "1", 0, 3.0),
        ("bucket", "1", 1, 5.0),
        ("bucket", "+Inf", 0, 6.0),
        ("bucket", "+Inf", 1, 9.0),
        ("count", None, 0, 6.0),
        ("count", None, 1, 9.0),
        ("sum", None, 0, 4.5),
        ("sum", None, 1, 4.5),
    ]


def test_differences_are_added_up(receiver: Receiver, store: Store) -> None:
    for at in (0, 1):
        send(receiver, counter("orders", point(2.0, at=at), temporality=1))
    send(receiver, counter("orders", point(2.0, at=1), temporality=1))
    send(receiver, histogram(0, [1, 0, 0], temporality=1))
    send(receiver, histogram(1, [1, 1, 0], temporality=1))

    found = rows(store)
    assert [(ms, v) for metric, _, ms, v in found if metric == "orders_total"] == [
        (0, 2.0),
        (1, 4.0),
    ]
    assert [(ms, v) for metric, _, ms, v in found if metric == "latency_seconds_count"] == [
        (0, 1.0),
        (1, 3.0),
    ]


def test_what_cannot_be_added_up_is_refused_with_its_reason(receiver: Receiver) -> None:
    refused = send(receiver, counter("orders", point(2.0), temporality=0), counter("x", point(1.0)))

    assert refused == {"temporality": 1}


def test_an_exponential_histogram_stays_one(receiver: Receiver, store: Store) -> None:
    one = {"time_unix_nano": NOW_NS, "count": 10, "sum": 20.0, "scale": 10, "zero_count": 1}
    one["positive"] = {"offset": 3, "bucket_counts": [1, 2, 3, 4]}
    data = {"data_points": [one], "aggregation_temporality": 2}

    send(receiver, {"name": "size", "unit": "By", "exponential_histogram": data})

    row = store.table("SELECT * FROM histograms").to_pylist()[0]
    # Scale 10 is made 8: indexes 3..6 become 0 and 1, which Prometheus calls 1 and 2.
    assert (row["metric"], row["schema"], row["positive_offset"]) == ("size_bytes", 8, 1)
    assert (row["positive"], row["zero_count"], row["count"]) == ([1.0, 9.0], 1.0, 10.0)


def test_a_summary_becomes_quantiles(receiver: Receiver, store: Store) -> None:
    one = {"time_unix_nano": NOW_NS, "count": 4, "sum": 2.0}
    one["quantile_values"] = [{"quantile": 0.5, "value": 0.25}]

    send(receiver, {"name": "wait", "unit": "s", "summary": {"data_points": [one]}})

    found = [(metric, labels.get("quantile"), value) for metric, labels, _, value in rows(store)]
    assert found == [
        ("wait_seconds", "0.5", 0.25),
        ("wait_seconds_count", None, 4.0),
        ("wait_seconds_sum", None, 2.0),
    ]


def test_json_says_the_same_as_protobuf(receiver: Receiver, store: Store) -> None:
    document = {
        "resourceMetrics": [
            {
                "resource": {
                    "attributes": [
                        {"key": one["key"], "value": {"stringValue": one["value"]["string_value"]}}
                        for one in RESOURCE["attributes"]
                    ]
                },
                "scopeMetrics": [
                    {
                        "metrics": [
                            {
                                "name": "orders",
                                "sum": {
                                    "aggregationTemporality": 2,
                                    "isMonotonic": True,
                                    "dataPoints": [{"timeUnixNano": str(NOW_NS), "asInt": "7"}],
                                },
                            }
                        ]
                    }
                ],
            }
        ],
        "unknownField": {"of": ["a later version"]},
    }

    receiver.metrics(json.dumps(document).encode(), "", is_json=True).stored.result()

    labels = {"service": "shop", "version": "v2", "instance": "r1", "job": "shop"}
    assert rows(store) == [("orders_total", labels, 0, 7.0)]
