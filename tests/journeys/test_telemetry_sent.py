"""A service that Steerway runs is seen with nothing configured: metrics, logs and traces."""

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import processes
from tests.journeys.conftest import Founder
from tests.journeys.installation import CHECKOUT, Installation, until

pytestmark = pytest.mark.journey
SIGNALS = ("metrics", "logs", "traces")
ROUTE = {
    ("router POST /checkout", "server POST /checkout"),
    ("server POST /checkout", "client POST /charge"),
    ("server POST /checkout", "client INSERT shop.db"),
}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def supplier() -> Iterator[str]:
    """The address of a supplier that is up."""
    program = CHECKOUT / "examples" / "shop" / "supplier.py"
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
        process.terminate()


@pytest.fixture(scope="module")
def selling(found: Founder, supplier: str) -> Installation:
    """A shop that serves v1 and has a supplier; of telemetry its descriptor says what it did."""
    installation = found()
    installation.start()
    installation.apply(run={"environment": {"SUPPLIER_URL": supplier}})
    installation.deploy("v1")
    return installation


def buy(installation: Installation, key: str) -> None:
    """Somebody who buys coffee, and began the trace in their browser."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{installation.router_port}/checkout",
        data=json.dumps({"sku": "house", "quantity": 1}).encode(),
        headers={
            "Host": "shop.localhost",
            "Idempotency-Key": key,
            "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
        },
    )
    urllib.request.urlopen(request, timeout=20).close()


def application(installation: Installation) -> dict[str, str]:
    """How the signals of the application are in production."""
    grids: list[dict[str, Any]] = installation.client.get("/api/coverage/shop")
    production = next(one for one in grids if one["environment"] == "production")
    cells = [one for one in production["cells"] if one["layer"] == "application"]
    return {one["signal"]: one["state"] for one in cells}


def waterfall(installation: Installation) -> list[dict[str, Any]]:
    """The rows of the trace; none while no span of it has come."""
    found = installation.client.get("/api/traces?service=shop")
    if TRACE not in json.dumps(found):
        return []
    rows: list[dict[str, Any]] = installation.client.get(f"/api/traces/{TRACE}")["spans"]
    return rows


def calls(installation: Installation) -> set[tuple[str, str]]:
    """Which kind of span of the trace is under which, by their names."""
    rows = waterfall(installation)
    named = {one["span_id"]: f"{one['kind']} {one['name']}" for one in rows}
    return {
        (named[one["parent_id"]], named[one["span_id"]])
        for one in rows
        if one["parent_id"] in named
    }


def test_metrics_logs_and_traces_of_a_service_are_seen(selling: Installation) -> None:
    buy(selling, "visitor-1")

    until(lambda: application(selling) == dict.fromkeys(SIGNALS, "fresh"), "all three are seen")
    until(lambda: calls(selling) >= ROUTE, "the trace leads from the router to the supplier")
    until(lambda: "request" in selling.ok("logs", "shop", "--trace", TRACE), "its line is found")

    assert "POST /checkout" in selling.ok("traces", "--service", "shop")
    versions = {one["version"] for one in waterfall(selling) if one["kind"] == "server"}
    assert versions == {"v1"}


def test_its_token_is_nowhere_but_in_its_environment(selling: Installation) -> None:
    pids = selling.pids(*selling.replicas()).values()
    tokens = {token_of(pid) for pid in pids}
    assert len(tokens) == len(selling.replicas())  # each has its own
    marks = [token.encode() for token in tokens]

    files = [path for path in selling.home.rglob("*") if path.is_file()]
    in_files = [path for path in files if any(mark in content(path) for mark in marks)]
    in_commands = [
        line for line in processes.of(selling.home).values() if any(t in line for t in tokens)
    ]

    assert in_files == []
    assert in_commands == []


def content(path: Path) -> bytes:
    """What is in a file; the store may have put its own away meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def token_of(pid: int) -> str:
    """What a replica sends its telemetry with."""
    environment = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    named = dict(pair.split("=", 1) for pair in environment if "=" in pair)
    return named["OTEL_EXPORTER_OTLP_HEADERS"].rpartition("%20")[2]
