"""The outside world of the shop: its supplier, its collector, and everybody's inbox."""

import json
import smtplib
import threading
import urllib.request
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from tests.examples.stage import Answer, Stage, ask, free_port, until


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def control(url: str, state: str) -> Answer:
    return ask(port_of(url), "/control", method="POST", body={"state": state})


def indicator(url: str) -> str:
    return str(ask(port_of(url), "/api/v2/status.json").json["status"]["indicator"])


def test_the_supplier_fails_when_told_and_its_status_page_says_so(stage: Stage) -> None:
    _, at = stage.tool("supplier")
    charge = {"key": "cart-1", "cents": 1150, "signature": "00"}

    before = indicator(at["url"])
    control(at["url"], "down")

    assert before == "none"
    assert indicator(at["url"]) == "critical"
    assert ask(port_of(at["url"]), "/charge", method="POST", body=charge).status == 503
    control(at["url"], "up")
    assert ask(port_of(at["url"]), "/charge", method="POST", body=charge).json["charged"]
    assert control(at["url"], "asleep").status == 422


def test_a_file_tells_the_supplier_too(stage: Stage) -> None:
    state = stage.directory / "state"
    _, at = stage.tool("supplier", "--state-file", str(state))

    state.write_text("down\n")

    assert indicator(at["url"]) == "critical"
    state.unlink()
    assert indicator(at["url"]) == "none"


def test_a_slow_supplier_makes_nobody_wait(stage: Stage) -> None:
    _, at = stage.tool("supplier")
    shop = stage.shop("v1", SUPPLIER_URL=at["url"])
    ask(shop.port, "/catalog")
    control(at["url"], "slow")

    report = stage.visit(shop.port, "--mix", "/checkout=1", "--rate", "20", "--count", "20")

    assert report["statuses"] == {"503": 20}
    assert report["latency_ms"]["max"] < 1500
    assert 'shop_supplier_calls_total{outcome="paused"}' in ask(shop.port, "/metrics").text


def test_the_inbox_shows_mail_and_webhooks(stage: Stage) -> None:
    _, at = stage.tool("inbox")
    mail = EmailMessage()
    mail["From"], mail["To"] = "steerway@shop.example", "alice@shop.example"
    mail["Subject"] = "Shop is down \N{EM DASH} <page>"
    mail.set_content(".starts with a dot\nand ends\n")

    with smtplib.SMTP(*at["smtp"].split(":")) as smtp:  # type: ignore[arg-type]  # a port as text
        smtp.send_message(mail)
    ask(port_of(at["url"]), "/hooks/chat", method="POST", body={"text": "INC-1 opened"})

    letter, hook = ask(port_of(at["url"]), "/messages").json
    assert (letter["kind"], letter["to"]) == ("mail", ["alice@shop.example"])
    assert letter["subject"] == mail["Subject"]
    assert letter["text"] == ".starts with a dot\nand ends\n"
    assert (hook["kind"], hook["to"]) == ("webhook", ["/hooks/chat"])
    page = ask(port_of(at["url"]), "/").text
    assert "Shop is down \N{EM DASH} &lt;page&gt;" in page
    assert "INC-1 opened" in page


class Collector(HTTPServer):
    """Keeps what an OTLP exporter sends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CollectorRequest)
        self.received: dict[str, list[Any]] = {"/v1/traces": [], "/v1/metrics": []}
        self.headers: set[str | None] = set()


class CollectorRequest(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received[self.path].append(json.loads(body))
        self.server.headers.add(self.headers["Authorization"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


def test_traces_and_metrics_reach_a_collector(stage: Stage) -> None:
    collector = Collector()
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{collector.server_port}"
    shop = stage.shop("v1", OTEL_EXPORTER_OTLP_ENDPOINT=url)
    trace = "0af7651916cd43dd8448eb211c80319c"
    request = urllib.request.Request(f"http://127.0.0.1:{shop.port}/catalog")
    request.add_header("traceparent", f"00-{trace}-b7ad6b7169203331-01")
    urllib.request.urlopen(request).close()

    code = shop.stop()
    collector.shutdown()
    collector.server_close()

    [resource] = collector.received["/v1/traces"][0]["resourceSpans"]
    *inner, span = resource["scopeSpans"][0]["spans"]
    names = {a["key"]: a["value"] for a in resource["resource"]["attributes"]}
    metrics = collector.received["/v1/metrics"][-1]["resourceMetrics"][0]["scopeMetrics"][0]
    assert code == 0
    assert names["service.version"] == {"stringValue": "v1"}
    assert (span["traceId"], span["parentSpanId"]) == (trace, "b7ad6b7169203331")
    assert span["name"] == "GET /catalog"
    assert {(one["name"], one["parentSpanId"], one["traceId"]) for one in inner} >= {
        ("SELECT shop.db", span["spanId"], trace)
    }
    request_line = next(line for line in shop.events if line["message"] == "request")
    assert (request_line["trace_id"], request_line["span_id"]) == (trace, span["spanId"])
    assert {m["name"] for m in metrics["metrics"]} >= {
        "shop_http_requests_total",
        "shop_http_request_seconds",
    }


def test_the_shop_says_who_it_is_as_its_environment_does(stage: Stage) -> None:
    collector = Collector()
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    _, at = stage.tool("supplier")
    shop = stage.shop(
        "v1",
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
        OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20swy_x",
        OTEL_METRICS_EXPORTER="none",
        OTEL_SERVICE_NAME="beans",
        OTEL_RESOURCE_ATTRIBUTES="service.version=v1%2Bhot,service.instance.id=beans.0",
        SUPPLIER_URL=at["url"],
    )
    for flags in ("00", "01"):
        request = urllib.request.Request(f"http://127.0.0.1:{shop.port}/catalog")
        request.add_header("traceparent", f"00-{flags * 16}-b7ad6b7169203331-{flags}")
        urllib.request.urlopen(request).close()
    body = {"sku": "house", "quantity": 1}
    ask(shop.port, "/checkout", method="POST", body=body, key="k1")

    shop.stop()
    collector.shutdown()
    collector.server_close()

    sent = [one for body in collector.received["/v1/traces"] for one in body["resourceSpans"]]
    spans = [span for one in sent for span in one["scopeSpans"][0]["spans"]]
    said = {a["key"]: a["value"] for a in sent[0]["resource"]["attributes"]}
    charge = next(span for span in spans if span["name"] == "POST /charge")
    assert collector.headers == {"Bearer swy_x"}
    assert collector.received["/v1/metrics"] == []
    assert said["service.name"] == {"stringValue": "beans"}
    assert said["service.version"] == {"stringValue": "v1+hot"}
    assert said["service.instance.id"] == {"stringValue": "beans.0"}
    assert {"key": "peer.service", "value": {"stringValue": "supplier"}} in charge["attributes"]
    # A trace whose beginner does not record it is not recorded here either.
    assert "00" * 16 not in {span["traceId"] for span in spans}
    assert "01" * 16 in {span["traceId"] for span in spans}


def test_telemetry_that_nobody_takes_is_dropped_and_counted(stage: Stage) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    shop = stage.shop("v1", OTEL_EXPORTER_OTLP_ENDPOINT=nobody)

    ask(shop.port, "/catalog")

    dropped = 'shop_telemetry_dropped_total{signal="traces"}'
    until(lambda: dropped in ask(shop.port, "/metrics").text, "drops are counted")
