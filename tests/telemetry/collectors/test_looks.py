"""Looks at this very host, at files that are there, and at a router that counts."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from steerway.platform.errors import SteerwayError
from steerway.telemetry.collectors.adapters import certificates, host, processes
from steerway.telemetry.collectors.errors import LookFailed
from steerway.telemetry.collectors.rules.board import Board
from steerway.telemetry.collectors.rules.kinds import Deployed, Healthy, Instance
from steerway.telemetry.collectors.workflows.routing import RouterSource
from steerway.telemetry.collectors.workflows.running import THREADS, Collectors, Task
from steerway.telemetry.collectors.workflows.sources import Points, Sources, probed
from steerway.telemetry.databases.adapters import sqlite
from steerway.telemetry.scraping.rules.batch import Batch, Point, Track
from steerway.telemetry.store import series_id
from tests.cast import NOON
from tests.telemetry.scraping.pages import shown, text

NOON_MS = round(NOON.timestamp() * 1000)


def metrics(points: Iterator[Point]) -> dict[str, list[Point]]:
    found: dict[str, list[Point]] = {}
    for one in points:
        found.setdefault(one.metric, []).append(one)
    return found


def test_this_host_is_measured_in_the_names_of_node_exporter(tmp_path: Path) -> None:
    found = metrics(host.points(tmp_path))

    assert found["node_memory_MemTotal_bytes"][0].value > 1_000_000
    assert {one.labels["mode"] for one in found["node_cpu_seconds_total"]} >= {"user", "idle"}
    assert found["node_filesystem_size_bytes"][0].value > 0
    assert {one.labels["device"] for one in found["node_network_receive_bytes_total"]} >= {"lo"}
    assert found["node_load1"][0].value >= 0
    assert 0 < found["node_boot_time_seconds"][0].value < found["node_time_seconds"][0].value
    series = [(one.metric, tuple(one.labels.items())) for one in host.points(tmp_path)]
    assert len(series) == len(set(series))


def test_a_program_is_measured_and_one_that_is_gone_is_down() -> None:
    here = Instance({"instance": "here"}, os.getpid(), is_replica=True)
    gone = Instance({"instance": "gone"}, None, is_replica=True)

    found = metrics(processes.points([here, gone]))

    assert {one.labels["instance"]: one.value for one in found["replica_up"]} == {
        "here": 1,
        "gone": 0,
    }
    assert found["process_resident_memory_bytes"][0].value > 1_000_000
    assert found["process_cpu_seconds_total"][0].value > 0
    assert found["process_open_fds"][0].value > 0
    assert found["process_start_time_seconds"][0].value > 1_700_000_000
    assert len(found["process_threads"]) == 1


def test_a_file_of_sqlite_is_measured_without_being_locked(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(
            "PRAGMA journal_mode=WAL; CREATE TABLE t (x); BEGIN EXCLUSIVE; "
            "INSERT INTO t VALUES (1);"
        )
        database.execute("CREATE TABLE other (y)")
        found = metrics(sqlite.points(file))

    assert found["sqlite_up"][0].value == 1
    assert found["sqlite_database_bytes"][0].value == 4096
    assert found["sqlite_page_bytes"][0].value == 4096
    assert found["sqlite_wal_bytes"][0].value > 4096
    assert found["sqlite_freelist_pages"][0].value == 0


@pytest.mark.parametrize("content", [None, b"", b"SQLite format 3\0", b"x" * 4096])
def test_what_is_no_file_of_sqlite_is_down(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "shop.db"
    if content is not None:
        file.write_bytes(content)

    assert list(sqlite.points(file)) == [Point("sqlite_up", {}, 0)]


def certificate(end: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(end - timedelta(days=90))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_the_first_end_of_each_file_is_told(tmp_path: Path) -> None:
    soon = datetime(2026, 4, 1, tzinfo=UTC)
    chain = certificate(soon + timedelta(days=900)) + certificate(soon)
    (tmp_path / "shop.pem").write_bytes(chain)
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "broken.crt").write_text("none")

    found = list(certificates.of_file(str(tmp_path)))

    path = str(tmp_path / "shop.pem")
    metric = "certificate_not_after_timestamp_seconds"
    assert found == [Point(metric, {"path": path}, soon.timestamp())]
    with pytest.raises(LookFailed, match="no certificate"):
        list(certificates.of_file(str(tmp_path / "notes.txt")))
    with pytest.raises(LookFailed, match="cannot be looked at"):
        list(certificates.of_host("127.0.0.1:1"))


def test_a_supplier_answers_or_does_not() -> None:
    with shown(text(b"", status=404)) as url:
        there = {one.metric: one.value for one in probed(url)}
    with shown(text(b"", status=503)) as url:
        ill = {one.metric: one.value for one in probed(url)}
    gone = {one.metric: one.value for one in probed("http://127.0.0.1:1/")}

    assert (there["probe_success"], there["probe_http_status_code"]) == (1, 404)
    assert (ill["probe_success"], gone["probe_success"]) == (0, 0)
    assert gone["probe_duration_seconds"] > 0


class Router:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.page = ""
        self.names = {"one": Deployed("shop", "production", "v1", "DEP-1")}
        self.source = RouterSource(
            series_id,
            "here",
            text=self.text,
            deployed=self.deployed,
            healthy=lambda: [Healthy(one, 1, 2) for one in self.names.values()],
        )

    def deployed(self, name: str) -> Deployed | None:
        return self.names.get(name)

    def text(self) -> bytes:
        return self.page.encode()

    def look(self, second: int, **codes: int) -> list[tuple[str, int, float]]:
        labels = 'service="shop",environment="production",version="one"'
        self.page = "".join(
            f'envoy_req_requests{{{labels},code="{code[1:]}",flags="-"}} {count}\n'
            for code, count in codes.items()
        )
        return [
            (one.series[id_].labels.get("code", one.series[id_].metric), ts // 1000, value)
            for one in self.source.look(second * 1000)
            for id_, ts, value in zip(
                one.ids.tolist(), one.ts_ms.tolist(), one.values.tolist(), strict=True
            )
        ]


def test_what_does_not_change_is_told_now_and_then_and_what_does_at_once() -> None:
    router = Router()

    first = router.look(10, c200=5)
    still = router.look(11, c200=5)
    moved = router.look(12, c200=6)
    again = router.look(15, c200=6)

    replicas = [("router_healthy_replicas", 10, 1), ("router_replicas", 10, 2)]
    assert first == [("200", 10, 5), *replicas]
    assert still == []
    assert moved == [("200", 12, 6)]
    assert again[0] == ("200", 15, 6)
    assert len(again) == 3


def test_the_first_failures_are_a_step_from_zero() -> None:
    router = Router()
    router.look(10, c200=5)

    found = router.look(11, c200=5, c503=3)

    assert ("503", 11, 3) in found
    assert ("503", 10, 0) in found


def test_a_version_that_becomes_known_is_no_step() -> None:
    router = Router()
    named = router.names.pop("one")
    router.look(10, c200=5)
    router.names["one"] = named

    found = router.look(21, c200=7)

    assert ("200", 21, 7) in found
    assert not [row for row in found if row[2] == 0]
    assert [row[0] for row in found if str(row[2]) == "nan"] == ["200"]


class Stage:
    """Collectors whose threads wait for the test."""

    def __init__(self, **points: Callable[[], list[Point]]) -> None:
        self.points = points
        self.paused: frozenset[str] = frozenset()
        self.taken: list[Batch] = []
        self.board = Board()
        self.collectors = Collectors(
            self.tasks,
            sink=self.taken.append,
            paused=lambda: self.paused,
            board=self.board,
            now=lambda: NOON,
        )

    def tasks(self) -> list[Task]:
        return [
            Task(name, name, 10.0, lambda p=points: Points(p, Track(series_id)))  # type: ignore[misc]  # bound now
            for name, points in self.points.items()
        ]

    def turn(self, now: float) -> None:
        self.collectors.check(now)
        self.collectors.turn(now)

    def settle(self) -> None:
        """Wait until every look is over: each thread comes to the barrier after its looks."""
        barrier = threading.Barrier(THREADS + 1, timeout=60)
        for _ in range(THREADS):
            self.collectors._pool.submit(barrier.wait)
        barrier.wait()

    def end(self) -> None:
        self.settle()
        self.collectors.stop()

    def seen(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for one in self.taken:
            rows = zip(one.ids.tolist(), one.values.tolist(), strict=True)
            found |= {one.series[id_].metric: value for id_, value in rows}
        return found


def one(metric: str) -> Callable[[], list[Point]]:
    return lambda: [Point(metric, {}, 1)]


def failing(error: Exception) -> Callable[[], list[Point]]:
    def points() -> list[Point]:
        raise error

    return points


def test_a_collector_that_fails_stops_no_other_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused: SteerwayError = LookFailed(what="it", why="it is broken")
    stage = Stage(good=one("a"), bad=failing(refused), worse=failing(ValueError("a bug")))

    for turn in range(3):
        stage.turn(100.0 + 10 * turn)
        stage.settle()
    stage.end()

    errors = {look.collector: look.error for look in stage.board.looks()}
    assert stage.seen() == {"a": 1}
    assert errors == {"good": "", "bad": str(refused), "worse": "a bug"}
    assert len(caplog.records) == 2


def test_a_look_that_goes_on_is_not_begun_again() -> None:
    begun, may_end = threading.Event(), threading.Event()
    calls = []

    def slow() -> list[Point]:
        calls.append(1)
        begun.set()
        assert may_end.wait(30)
        return [Point("slow", {}, 1)]

    stage = Stage(slow=slow, quick=one("quick"))
    stage.turn(100.0)
    assert begun.wait(30)
    stage.turn(110.0)
    stage.turn(120.0)
    may_end.set()
    stage.end()

    assert len(calls) == 1
    assert stage.seen() == {"slow": 1, "quick": 1}
    assert {look.collector: look.late for look in stage.board.looks()}["slow"] == 2


def test_a_collector_that_is_paused_ends_its_series() -> None:
    stage = Stage(host=one("a"), router=one("b"))
    stage.turn(100.0)
    stage.settle()
    stage.paused = frozenset(["host"])
    stage.turn(110.0)
    stage.end()

    assert str(stage.seen()["a"]) == "nan"
    assert stage.seen()["b"] == 1
    assert [look.collector for look in stage.board.looks()] == ["router"]


def test_sources_have_the_labels_of_their_layer(tmp_path: Path) -> None:
    found = Sources(series_id, tmp_path, instance="here").host().look(NOON_MS)

    labels = [series.labels for series in found[0].series.values()]
    assert all((one["job"], one["instance"]) == ("host", "here") for one in labels)
