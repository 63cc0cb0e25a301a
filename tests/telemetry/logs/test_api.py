"""Lines and traces over HTTP, and in the terminal."""

from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client

from steerway.platform.client import Problem
from steerway.telemetry.logs import cli as logs
from steerway.telemetry.store import Store
from steerway.telemetry.traces import cli as traces
from tests.telemetry.logs.printing import printed
from tests.telemetry.traces.walking import span, walked

pytestmark = pytest.mark.django_db

MS = timedelta(milliseconds=1)
SPAN = {"since": "2026-03-02T11:00:00Z", "until": "2026-03-02T13:00:00Z"}


@pytest.fixture
def owner() -> Client:
    return Client(REMOTE_ADDR="local")  # type: ignore[arg-type] # its options are typed as bools


class Server:
    """The way of commands to the API, without a socket."""

    def __init__(self, owner: Client, refuses: str = "") -> None:
        self.owner = owner
        self.refuses = refuses

    def get(self, path: str) -> Any:
        if self.refuses and path.startswith(self.refuses):
            raise Problem(503, {"detail": "Telemetry is away."})
        if path.startswith("/api/services/"):
            replica = {
                "program": "shop.0",
                "environment": "e",
                "lines": ["in a file"],
                "position": 9,
            }
            return {"replicas": [replica]}
        answer = self.owner.get(path)
        assert answer.status_code == 200, answer.content
        return answer.json()


@pytest.fixture
def server(owner: Client, monkeypatch: pytest.MonkeyPatch) -> Server:
    found = Server(owner)
    for command in (logs, traces):
        monkeypatch.setattr(command, "connect", lambda: found)
    return found


def test_lines_come_in_pages_with_all_their_fields(store: Store, owner: Client) -> None:
    printed(store, ["one", "two"], attributes={"user": "bob"}, severity=17)

    first = owner.get("/api/logs", {**SPAN, "rows": 1, "attribute": "user=bob"}).json()
    second = owner.get("/api/logs", {**SPAN, "rows": 1, "after": first["next"]}).json()

    assert first["lines"] == [
        {
            "at": "2026-03-02T12:00:00.000001+00:00", "service": "shop",
            "environment": "production", "version": "v1", "instance": "shop.0",
            "source": "process", "level": "error", "text": "two", "attributes": {"user": "bob"},
            "trace_id": "", "span_id": "",
        }
    ]  # fmt: skip
    assert [line["text"] for line in second["lines"]] == ["one"]
    assert second["next"] == ""


def test_lines_are_counted_over_time_and_by_field(store: Store, owner: Client) -> None:
    printed(store, ["a"] * 3)

    bars = owner.get("/api/logs/histogram", SPAN).json()
    facets = {one["name"]: one["values"] for one in owner.get("/api/logs/facets", SPAN).json()}

    assert (bars["total"], bars["step_seconds"]) == (3, 120)
    assert bars["bars"] == [{"at": "2026-03-02T12:00:00+00:00", "counts": {"info": 3}}]
    assert facets["service"] == [{"value": "shop", "lines": 3}]


def test_the_lines_around_one(store: Store, owner: Client) -> None:
    printed(store, [f"{n}" for n in range(9)])
    where = {"service": "shop", "instance": "shop.0", "rows": 1}

    found = owner.get("/api/logs/around", {**where, "at": "2026-03-02T12:00:00.000004Z"}).json()

    assert [line["text"] for line in found["lines"]] == ["5", "4", "3"]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/api/logs", {"since": "x"}), ("/api/logs", {"severity": "loud"}),
        ("/api/logs", {"after": "x"}), ("/api/logs", {"rows": "0"}),
        ("/api/logs", {"attribute": "x"}), ("/api/traces", {"min_duration": "long"}),
        ("/api/traces", {"after": "x"}), ("/api/traces", {"since": "1m", "until": "2h"}),
        ("/api/traces/xyz", {}), ("/api/traces/map", {"since": "x"}),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(
    store: Store, owner: Client, path: str, asked: dict[str, str]
) -> None:
    assert owner.get(path, asked).status_code == 422


def test_a_trace_over_http(store: Store, owner: Client) -> None:
    walked(
        store,
        span("a", "1", kind="server", name="GET /", duration=20 * MS),
        span("a", "2", "1", service="ledger", kind="server", start=5 * MS, status="error"),
    )

    (one,) = owner.get("/api/traces", {**SPAN, "status": "error"}).json()["traces"]
    found = owner.get(f"/api/traces/{one['trace_id']}").json()
    edges = owner.get("/api/traces/map", SPAN).json()["edges"]

    assert (one["name"], one["spans"], one["errors"], one["duration_ms"]) == ("GET /", 2, 1, 20.0)
    assert [(s["depth"], s["offset_ms"]) for s in found["spans"]] == [(0, 0.0), (1, 5.0)]
    assert [(edge["caller"], edge["callee"]) for edge in edges] == [("shop", "ledger")]
    assert owner.get(f"/api/traces/{'f' * 32}").status_code == 404


def run(command: Any, *arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_lines_in_the_terminal_are_oldest_first(store: Store, server: Server) -> None:
    printed(store, ["one", "two", "three"], attributes={"user": "bob"})
    since = ("--since", "2026-03-02T11:00:00Z", "--until", "2026-03-02T13:00:00Z")

    shown = run(logs.logs, "shop", *since, "--text", "t", "-a", "user=bob")

    assert [line.split("  ")[-1] for line in shown.splitlines()] == ["two", "three"]
    assert '"text": "one"' in run(logs.logs, "shop", *since, "--json")


@pytest.mark.parametrize("refuses", ["", "/api/logs"])
def test_files_are_read_when_telemetry_has_nothing_or_is_away(
    store: Store, server: Server, refuses: str
) -> None:
    server.refuses = refuses

    assert "in a file" in run(logs.logs, "shop")


def test_what_only_telemetry_can_answer_is_refused_without_it(server: Server) -> None:
    server.refuses = "/api/logs"

    with pytest.raises(Problem, match="away"):
        run(logs.logs, "shop", "--text", "x")


def test_traces_in_the_terminal(store: Store, server: Server) -> None:
    walked(store, span("a", "2", "1", name="GET /", kind="server"))
    since = ("--since", "2026-03-02T11:00:00Z")

    listed = run(traces.traces, *since, "-a", "absent=1")
    shown = run(traces.traces, "a".rjust(32, "0"))

    assert "No trace matches" in listed
    assert "parent that was never sent" in shown
    assert "shop GET /" in shown
