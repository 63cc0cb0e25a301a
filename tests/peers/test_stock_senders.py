"""Stock clients send to Steerway: OpenTelemetry's SDK, and a real Prometheus."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from a2wsgi.asgi_typing import Receive, Scope, Send
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from steerway.app.intake import TelemetryDoor, Writer
from steerway.app.prometheus import Prometheus
from steerway.platform import clock
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.metrics.rules import QueryLimits
from steerway.telemetry.receiving.workflows import Receiver
from steerway.telemetry.store import Store
from tests.peers import prometheus as peer
from tests.telemetry.receiving.listening import served

T = TypeVar("T")
TOKEN = "swy_sender"
RESOURCE = Resource.create(
    {
        "service.name": "shop",
        "service.version": "v2",
        "service.instance.id": "replica-1",
        "deployment.environment.name": "production",
    }
)
LABELS = {
    "service": "shop",
    "version": "v2",
    "instance": "replica-1",
    "environment": "production",
}
needs_prometheus = pytest.mark.skipif(
    not peer.is_here() and not os.environ.get("REQUIRE_PEERS"),
    reason="Debian's Prometheus is missing: tests/peers/obtain.sh gets it",
)


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    made = Intake(lambda: store, now=clock.now)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def url(intake: Intake, store: Store) -> Iterator[str]:
    """The doors of a server: for senders, who need the token, and for readers."""
    receiver = Receiver(intake)

    def writer(scope: Any) -> Writer | None:
        sent = dict(scope["headers"]).get(b"authorization", b"").decode()
        return Writer(may=True) if sent == f"Bearer {TOKEN}" else None

    senders = TelemetryDoor(lambda: receiver, writer, body_bytes=10_000_000, held_bytes=10_000_000)
    limits = QueryLimits(seconds=30, memory_bytes=256 * 1024 * 1024, cells=1_000_000)
    readers = Prometheus(lambda: store, lambda _: True, limits)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        door = senders if senders.takes(scope) else readers
        await door(scope, receive, send)

    with served(app) as port:
        yield f"http://127.0.0.1:{port}"


def until(true: Callable[[], T | None], what: str) -> T:
    end = time.monotonic() + 60
    while not (found := true()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def test_metrics_of_the_sdk_arrive(url: str, intake: Intake, store: Store) -> None:
    exporter = OTLPMetricExporter(
        f"{url}/v1/metrics", headers=HEADERS, compression=Compression.Gzip
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
    provider = MeterProvider([reader], resource=RESOURCE)
    meter = provider.get_meter("shop")
    meter.create_counter("orders", unit="{order}").add(3, {"http.route": "/pay"})
    meter.create_histogram("http.server.request.duration", unit="s").record(0.25)

    assert provider.force_flush()
    provider.shutdown()

    intake.settle()
    answer = peer.asked(url, "query", query="orders_total")
    series = answer["result"][0]
    assert series["metric"] == LABELS | {
        "__name__": "orders_total",
        "job": "shop",
        "http_route": "/pay",
    }
    assert series["value"][1] == "3"
    bucket = 'http_server_request_duration_seconds_bucket{le="5"}'
    assert peer.asked(url, "query", query=bucket)["result"][0]["value"][1] == "1"


def test_logs_and_spans_of_the_sdk_arrive_and_are_linked(
    url: str, intake: Intake, store: Store
) -> None:
    traces = TracerProvider(resource=RESOURCE)
    traces.add_span_processor(
        SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces", headers=HEADERS))
    )
    logs = LoggerProvider(resource=RESOURCE)
    logs.add_log_record_processor(
        SimpleLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs", headers=HEADERS))
    )

    with traces.get_tracer("shop").start_as_current_span("POST /pay") as span:
        logs.get_logger("shop.pay").emit(
            LogRecord(severity_number=SeverityNumber.ERROR, body="declined", attributes={"n": 1})
        )
    traces.shutdown()
    logs.shutdown()

    intake.settle()
    trace_id = f"{span.get_span_context().trace_id:032x}"
    spans = store.table("SELECT name, service, version, trace_id FROM spans").to_pylist()
    lines = store.table("SELECT body, service, severity, trace_id FROM logs").to_pylist()
    assert spans == [
        {"name": "POST /pay", "service": "shop", "version": "v2", "trace_id": trace_id}
    ]
    assert lines == [{"body": "declined", "service": "shop", "severity": 17, "trace_id": trace_id}]


CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: itself
    static_configs: [{{targets: ['127.0.0.1:1']}}]
  - job_name: federation
    honor_labels: true
    metrics_path: /federate
    params: {{'match[]': ['orders_total']}}
    static_configs: [{{targets: ['{address}']}}]
remote_write:
  - url: {url}/api/v1/write
    authorization: {{credentials: {token}}}
    queue_config: {{batch_send_deadline: 200ms}}
    write_relabel_configs: [{{source_labels: [job], regex: itself, action: keep}}]
"""


@needs_prometheus
def test_a_prometheus_writes_to_steerway_and_scrapes_its_federation(
    url: str, intake: Intake
) -> None:
    exporter = OTLPMetricExporter(f"{url}/v1/metrics", headers=HEADERS)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
    provider = MeterProvider([reader], resource=RESOURCE)
    provider.get_meter("shop").create_counter("orders").add(7)
    provider.shutdown()
    config = CONFIG.format(url=url, address=url.removeprefix("http://"), token=TOKEN)

    with peer.prometheus(config) as prometheus:
        written = until(
            lambda: peer.asked(url, "query", query='up{job="itself"}')["result"],
            "a sample that Prometheus has written",
        )
        federated = until(
            lambda: prometheus.ask("query", query="orders_total")["result"],
            "a sample that Prometheus has scraped",
        )

    # Nothing listens at the address that it scrapes: it is down, and that is a sample too.
    assert written[0]["value"][1] == "0"
    assert written[0]["metric"]["instance"] == "127.0.0.1:1"
    assert federated[0]["metric"]["service"] == "shop"
    assert federated[0]["value"][1] == "7"
