"""The provider that a Python service imports."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode, ProviderNotReadyError

from openfeature import api
from steerway.openfeature.provider import STALE_SECONDS, SteerwayProvider
from steerway.openfeature.watching import HEADER, FlagsAsgi, FlagsWsgi

CONTEXT = EvaluationContext("u", {"plan": "pro"})


def document(**more: Any) -> str:
    flags = {
        "bool": {"state": "ENABLED", "variants": {"on": True, "off": False},
                 "defaultVariant": "off",
                 "targeting": {"if": [{"==": [{"var": "plan"}, "pro"]}, "on", None]}},
        "text": {"state": "ENABLED", "variants": {"a": "A"}, "defaultVariant": "a"},
        "int": {"state": "ENABLED", "variants": {"one": 1}, "defaultVariant": "one"},
        "float": {"state": "ENABLED", "variants": {"half": 0.5}, "defaultVariant": "half"},
        "object": {"state": "ENABLED", "variants": {"map": {"a": 1}}, "defaultVariant": "map"},
        "out": {"state": "DISABLED", "variants": {"on": True}, "defaultVariant": "on"},
        "spoiled": {"state": "ENABLED", "variants": {"on": True}, "targeting": {"what": 1}},
    }  # fmt: skip
    return json.dumps({"flags": flags | more})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Flags as Steerway writes them: beside a mark that it is there."""
    path = tmp_path / "flags" / "shop" / "production.json"
    path.parent.mkdir(parents=True)
    path.write_text(document())
    (tmp_path / "flags" / "alive").touch()
    return path


@pytest.fixture
def provider(file: Path) -> Iterator[SteerwayProvider]:
    found = SteerwayProvider(file)
    found.refresh()
    yield found
    found.shutdown()


@pytest.fixture
def client(provider: SteerwayProvider) -> Iterator[OpenFeatureClient]:
    api.set_provider_and_wait(provider, "shop")
    yield api.get_client("shop")
    api.shutdown()
    api.clear_providers()


def test_each_kind_of_flag_is_evaluated_by_the_sdk(client: OpenFeatureClient) -> None:
    assert client.get_boolean_value("bool", False, CONTEXT) is True
    assert client.get_boolean_value("bool", True) is False
    assert client.get_string_value("text", "x") == "A"
    assert client.get_integer_value("int", 7) == 1
    assert client.get_float_value("float", 7.0) == 0.5
    assert client.get_object_value("object", {}) == {"a": 1}
    details = client.get_boolean_details("bool", False, CONTEXT)
    assert (details.variant, details.reason) == ("on", "TARGETING_MATCH")


@pytest.mark.parametrize(
    ("key", "code", "reason"),
    [
        ("gone", ErrorCode.FLAG_NOT_FOUND, "ERROR"),
        ("spoiled", ErrorCode.PARSE_ERROR, "ERROR"),
        ("text", ErrorCode.TYPE_MISMATCH, "ERROR"),
        ("int", ErrorCode.TYPE_MISMATCH, "ERROR"),
        ("out", None, "DISABLED"),
    ],
)
def test_the_caller_s_own_value_holds_where_there_is_no_other(
    client: OpenFeatureClient, key: str, code: ErrorCode | None, reason: str
) -> None:
    found = client.get_boolean_details(key, True)

    assert (found.value, found.error_code, found.reason) == (True, code, reason)


def test_a_truth_is_no_number(client: OpenFeatureClient) -> None:
    assert client.get_integer_details("bool", 5).error_code is ErrorCode.TYPE_MISMATCH
    assert client.get_float_value("int", 7.0) == 1.0


def test_new_flags_are_taken_and_spoiled_ones_are_not(
    provider: SteerwayProvider, file: Path
) -> None:
    file.write_text(
        document(text={"state": "ENABLED", "variants": {"b": "B"}, "defaultVariant": "b"})
    )
    provider.refresh()
    assert provider.resolve_string_details("text", "x").value == "B"

    file.write_text("{")
    provider.refresh()
    assert (provider.resolve_string_details("text", "x").value, bool(provider.problem)) == (
        "B",
        True,
    )
    file.unlink()
    provider.refresh()
    assert provider.resolve_string_details("text", "x").value == "B"


def test_without_flags_it_is_not_ready_and_becomes_so(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    provider = SteerwayProvider(path)
    with pytest.raises(ProviderNotReadyError):
        provider.initialize(EvaluationContext())

    path.write_text(document())
    provider.refresh()
    provider.shutdown()

    assert provider.resolve_string_details("text", "x").value == "A"


def test_it_tells_when_steerway_was_not_seen_for_long(
    provider: SteerwayProvider, file: Path
) -> None:
    heard: list[str] = []
    provider.attach(lambda _, event, details: heard.append(event.value))
    mark = file.parent.parent / "alive"

    os.utime(mark, (1, 1))
    provider.refresh()
    provider.refresh()
    assert (heard, provider.staleness() > STALE_SECONDS) == (["PROVIDER_STALE"], True)
    mark.touch()
    provider.refresh()

    assert heard[1:] == ["PROVIDER_READY"]


def test_evaluations_are_counted_and_left_beside_the_flags(
    provider: SteerwayProvider, file: Path
) -> None:
    for _ in range(3):
        provider.resolve_boolean_details("bool", False, CONTEXT)
    provider.resolve_boolean_details("bool", False)

    assert 'flag_evaluations_total{flag="bool",variant="on"} 3\n' in provider.metrics()
    provider.shutdown()
    (report,) = (file.parent / "production.seen").glob("*.json")
    assert json.loads(report.read_text())["evaluations"] == {"bool": {"on": 3, "off": 1}}


def test_requests_are_counted_by_variant_and_outcome(provider: SteerwayProvider) -> None:
    def application(environ: Any, start: Any) -> list[bytes]:
        provider.resolve_boolean_details("bool", False, CONTEXT)
        if environ["PATH_INFO"] == "/boom":
            raise RuntimeError
        start(environ["PATH_INFO"][1:], [])
        return []

    heard: list[Any] = []
    watched = FlagsWsgi(application, provider, named=True)
    watched({"PATH_INFO": "/200 OK"}, lambda *said: heard.append(said))
    watched({"PATH_INFO": "/503 No"}, lambda *said: heard.append(said))
    with pytest.raises(RuntimeError):
        watched({"PATH_INFO": "/boom"}, print)

    assert heard[0] == ("200 OK", [(HEADER, "bool=on")])
    assert provider.counts.requests == {("bool", "on", "ok"): 1, ("bool", "on", "error"): 2}


def test_asgi_requests_are_counted_as_well(provider: SteerwayProvider) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.to_thread(provider.resolve_boolean_details, "bool", False, CONTEXT)
        if scope["path"] == "/boom":
            raise RuntimeError
        await send({"type": "http.response.start", "status": 200, "headers": []})

    heard: list[Any] = []

    async def send(event: Any) -> None:
        heard.append(event)

    async def ask(path: str) -> None:
        watched = FlagsAsgi(application, provider, named=True)
        await watched({"type": "http", "path": path}, None, send)  # type: ignore[arg-type]

    asyncio.run(ask("/"))
    with pytest.raises(RuntimeError):
        asyncio.run(ask("/boom"))

    assert heard[0]["headers"] == [(HEADER.encode(), b"bool=on")]
    assert provider.counts.requests == {("bool", "on", "ok"): 1, ("bool", "on", "error"): 1}


class Server(ThreadingHTTPServer):
    """Something that serves flags with an ETag, and can be told to stop doing so."""

    text = document()
    asked: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.headers.get("If-None-Match"))
        body = self.server.text.encode()
        etag = f'"{hash(body)}"'
        is_same = self.headers.get("If-None-Match") == etag
        self.send_response(304 if is_same else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(0 if is_same else len(body)))
        self.end_headers()
        if not is_same:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Handler)
    found.asked = []
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def test_over_the_network_it_asks_only_for_what_is_new_and_starts_without(
    server: Server, tmp_path: Path
) -> None:
    url, cache = f"http://127.0.0.1:{server.server_port}", tmp_path / "cache.json"
    provider = SteerwayProvider(url=url, token="swy_x", cache=cache)

    provider.refresh()
    provider.refresh()

    assert provider.resolve_string_details("text", "x").value == "A"
    assert (server.asked[0], server.asked[1] is not None) == (None, True)
    assert provider.staleness() < STALE_SECONDS
    later = SteerwayProvider(url="http://127.0.0.1:1", token="swy_x", cache=cache)
    later.refresh()
    assert later.resolve_string_details("text", "x").value == "A"
    assert later.staleness() == float("inf")


def test_it_needs_to_know_where_flags_are() -> None:
    with pytest.raises(ValueError, match="STEERWAY_FLAGS_FILE"):
        SteerwayProvider()


def test_a_service_imports_neither_django_nor_the_rest_of_steerway(file: Path) -> None:
    code = (
        "import sys; from steerway.openfeature.provider import SteerwayProvider as P;"
        "p = P(); p.refresh(); print(p.resolve_string_details('text', 'x').value);"
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('django', 'pydantic', 'dbos', 'chdb', 'numpy', 'yaml')])"
    )
    environment = os.environ | {"STEERWAY_FLAGS_FILE": str(file)}

    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert said.stdout.split("\n")[:2] == ["A", "[]"]
