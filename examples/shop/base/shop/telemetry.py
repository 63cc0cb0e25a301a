"""Traces and metrics to an OTLP/HTTP collector, in the background and never in the way.

It goes by OpenTelemetry's environment. Bodies are JSON whatever protocol is named: collectors
take both at one address, and protobuf is not in Python's standard library.
Spans wait in a bounded queue. When the queue is full, or the collector does not answer, they are
dropped and counted in `shop_telemetry_dropped_total`: telemetry that hides its losses is worse.
"""

import json
import os
import secrets
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from queue import Empty, Full, Queue

from shop import VERSION
from shop.metrics import BOUNDS, Metrics
from shop.settings import Settings, pairs

QUEUE_MAX = 2048
BATCH_MAX = 512
TRACES_SECONDS = 1.0
METRICS_SECONDS = 5.0
EXPORT_TIMEOUT = 1.5
SERVER, CLIENT = 2, 3  # SpanKind
ERROR = 2  # StatusCode
CUMULATIVE = 2  # AggregationTemporality


@dataclass(slots=True)
class Span:
    """A piece of work: its name, its place in a trace, its times."""

    name: str
    trace: str
    parent: str = ""
    kind: int = SERVER
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    started_ns: int = field(default_factory=time.time_ns)
    attributes: dict[str, str | int] = field(default_factory=dict)
    failed: bool = False
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """How whoever is called under this span learns of it."""
        return f"00-{self.trace}-{self.id}-{self.sampled:02d}"

    def encode(self, ended_ns: int) -> dict[str, object]:
        """The span as OTLP/JSON."""
        return {
            "traceId": self.trace,
            "spanId": self.id,
            "parentSpanId": self.parent,
            "name": self.name,
            "kind": self.kind,
            "startTimeUnixNano": str(self.started_ns),
            "endTimeUnixNano": str(ended_ns),
            "attributes": attributes(self.attributes),
            "status": {"code": ERROR} if self.failed else {},
        }


def follow(traceparent: str) -> tuple[str, str, bool]:
    """The trace and parent that a request names, or a new trace; and whether it is recorded.

    Who began the trace decides whether it is.
    Source: W3C Trace Context, section 3.2.
    """
    parts = traceparent.split("-")
    if len(parts) >= 4 and is_id(parts[1], 32) and is_id(parts[2], 16):
        return parts[1], parts[2], parts[3][1:2] in "13579bdf"
    return secrets.token_hex(16), "", True


def is_id(text: str, length: int) -> bool:
    """Whether a text is an id of this many hexadecimal digits."""
    return len(text) == length and set(text) <= set("0123456789abcdef") and set(text) != {"0"}


_here = threading.local()  # what this thread is doing, and who wants to know


def current() -> Span | None:
    """The span that this thread works under."""
    span: Span | None = getattr(_here, "span", None)
    return span


@contextmanager
def calling(name: str, attributes: dict[str, str | int]) -> Iterator[Span | None]:
    """A call to somebody else, under a span of its own while a request is answered."""
    outer = current()
    if outer is None:
        yield None
        return
    span = Span(name, outer.trace, outer.id, CLIENT, attributes=attributes, sampled=outer.sampled)
    _here.span = span
    try:
        yield span
    except BaseException:
        span.failed = True
        raise
    finally:
        _here.span = outer
        _here.exporter.add(span)


class Exporter:
    """Sends spans every second and metrics every five, when there is someone to send them to."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._endpoint = settings.otlp_endpoint
        self._headers = settings.otlp_headers
        self._sends_metrics = settings.sends_metrics
        self._metrics = metrics
        self._resource = resource(settings)
        self._queue: Queue[dict[str, object]] = Queue(QUEUE_MAX)
        self._stop = threading.Event()
        self._started_ns = time.time_ns()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to export."""
        if self._endpoint:
            self._thread.start()

    def stop(self) -> None:
        """Send what is left, within the export timeout."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2 * EXPORT_TIMEOUT)

    @contextmanager
    def serving(self, span: Span) -> Iterator[None]:
        """Work of this thread under the span of a request, which is queued at the end."""
        _here.span, _here.exporter = span, self
        try:
            yield
        finally:
            _here.span = None
            self.add(span)

    def add(self, span: Span) -> None:
        """Queue a span that just ended, when its trace is recorded."""
        if not self._endpoint or not span.sampled:
            return
        try:
            self._queue.put_nowait(span.encode(time.time_ns()))
        except Full:
            self._metrics.dropped("traces", 1)

    def _run(self) -> None:
        metrics_at = time.monotonic()
        while not self._stop.wait(TRACES_SECONDS):
            self._send_spans()
            if time.monotonic() - metrics_at >= METRICS_SECONDS:
                metrics_at = time.monotonic()
                self._send_metrics()
        self._send_spans()
        self._send_metrics()

    def _send_spans(self) -> None:
        while spans := self._batch():
            scope = {"scope": {"name": "shop"}, "spans": spans}
            body = {"resourceSpans": [{"resource": self._resource, "scopeSpans": [scope]}]}
            if not self._post("/v1/traces", body):
                self._metrics.dropped("traces", len(spans))
                return

    def _batch(self) -> list[dict[str, object]]:
        spans: list[dict[str, object]] = []
        try:
            while len(spans) < BATCH_MAX:
                spans.append(self._queue.get_nowait())
        except Empty:
            pass
        return spans

    def _send_metrics(self) -> None:
        if not self._sends_metrics:
            return
        points = encode_metrics(self._metrics, self._started_ns, time.time_ns())
        scope = {"scope": {"name": "shop"}, "metrics": points}
        body = {"resourceMetrics": [{"resource": self._resource, "scopeMetrics": [scope]}]}
        if not self._post("/v1/metrics", body):
            self._metrics.dropped("metrics", len(points))

    def _post(self, path: str, body: object) -> bool:
        headers = {**self._headers, "Content-Type": "application/json"}
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self._endpoint}{path}", data, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=EXPORT_TIMEOUT) as response:
                response.read()
                return True
        except (OSError, ValueError, HTTPException):
            return False


def resource(settings: Settings) -> dict[str, object]:
    """Who speaks, by OpenTelemetry's names."""
    own: dict[str, str | int] = {
        "service.version": VERSION,
        "service.instance.id": f"{socket.gethostname()}:{settings.port}",
        "process.pid": os.getpid(),
    }
    named = {**own, **pairs(settings.resource_attributes), "service.name": settings.service_name}
    return {"attributes": attributes(named)}


def attributes(values: dict[str, str | int]) -> list[dict[str, object]]:
    """Key-values as OTLP/JSON; its 64-bit integers are strings."""
    return [
        {
            "key": key,
            "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v},
        }
        for key, v in values.items()
    ]


def encode_metrics(metrics: Metrics, started_ns: int, now_ns: int) -> list[dict[str, object]]:
    """Counters and histograms as cumulative OTLP metrics."""
    span = {"startTimeUnixNano": str(started_ns), "timeUnixNano": str(now_ns)}
    sums: dict[str, list[object]] = {}
    for (name, labels), value in metrics.counters().items():
        point = {**span, "asInt": str(value), "attributes": attributes(dict(labels))}
        sums.setdefault(name, []).append(point)
    histogram = [
        {
            **span,
            "attributes": attributes(dict(labels)),
            "count": str(sum(counts)),
            "sum": total,
            "bucketCounts": [str(count) for count in counts],
            "explicitBounds": list(BOUNDS),
        }
        for labels, (counts, total) in metrics.durations().items()
    ]
    kind = {"aggregationTemporality": CUMULATIVE}
    encoded: list[dict[str, object]] = [
        {"name": name, "sum": {**kind, "isMonotonic": True, "dataPoints": points}}
        for name, points in sums.items()
    ]
    seconds = {"name": "shop_http_request_seconds", "unit": "s"}
    return [*encoded, {**seconds, "histogram": {**kind, "dataPoints": histogram}}]
