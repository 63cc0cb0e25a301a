"""The router's access log is stored once, each request."""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from steerway.delivery.router.adapters.bootstrap import ACCESS_LOG
from steerway.telemetry.following.rules.requests import FIELDS, TRACEPARENT, requests
from steerway.telemetry.following.workflows.requests import RequestFollower
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.store import Store
from tests.cast import NOON

VERSIONS = {"shop-production-1a2b": "v7"}
COLUMNS = "SELECT * FROM requests ORDER BY ts, request_id"


def answered(number: int, **fields: Any) -> str:
    """A line as the router writes it."""
    at = (NOON + timedelta(milliseconds=number)).isoformat(timespec="milliseconds")
    line = {
        "at": at.replace("+00:00", "Z"), "service": "shop", "environment": "production",
        "version": "shop-production-1a2b", "release": "sha256:1", "method": "GET", "path": "/cart",
        "protocol": "HTTP/1.1", "status": 200, "attempts": 1, "duration_ms": 12,
        "received_bytes": 3, "sent_bytes": 70, "client": "192.0.2.1",
        "request_id": f"id-{number}", **fields,
    }  # fmt: skip
    return json.dumps({k: v for k, v in line.items() if v is not None}) + "\n"


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    found = Intake(lambda: store, now=lambda: NOON)
    found.start()
    yield found
    found.stop()


def follower(store: Store, intake: Intake, log: Path) -> RequestFollower:
    """As after each start: it remembers what is in its file."""
    return RequestFollower(
        log,
        lambda: VERSIONS,
        partial(intake.add_requests, wait=True),
        store=lambda: store,
        file=log.with_name("places.json"),
    )


def stored(store: Store) -> list[dict[str, Any]]:
    return store.table(COLUMNS).to_pylist()


def test_every_field_that_is_read_is_one_that_the_router_writes() -> None:
    assert {field for field, _ in FIELDS.values()} | {TRACEPARENT} <= set(ACCESS_LOG)


def test_a_request_has_its_fields_and_the_version_that_people_know(
    store: Store, intake: Intake, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    log.write_text(answered(5, status=503, attempts=3, flags="UF", trace_id="ab" * 16))

    assert follower(store, intake, log).look() == 1

    (row,) = stored(store)
    assert row == {
        "ts": NOON + timedelta(milliseconds=5), "service": "shop", "environment": "production",
        "version": "v7", "release": "sha256:1", "status": 503, "method": "GET", "path": "/cart",
        "duration_ms": 12.0, "attempts": 3, "flags": "UF", "client": "192.0.2.1",
        "request_id": "id-5", "trace_id": "ab" * 16, "bytes_in": 3, "bytes_out": 70,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parent", "trace"),
    [
        (f"00-{'cd' * 16}-{'1' * 16}-01", "cd" * 16),
        (f"00-{'0' * 32}-{'1' * 16}-01", ""),
        ("rubbish", ""),
        (None, ""),
    ],
)
def test_a_request_belongs_to_the_trace_of_its_client(parent: str | None, trace: str) -> None:
    (row,) = requests(answered(1, traceparent=parent).encode(), {}).to_pylist()

    assert row["trace_id"] == trace


def test_what_the_router_leaves_out_is_empty() -> None:
    nothing = dict.fromkeys(("service", "version", "method", "status", "attempts", "flags"))

    (row,) = requests(answered(1, **nothing).encode(), {}).to_pylist()

    assert (row["service"], row["version"], row["status"], row["attempts"]) == ("", "", 0, 0)


def test_lines_that_are_no_access_log_are_left_out(
    store: Store, intake: Intake, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    bad = ['{"at": 3\n', "\xff\n", '{"status": "x"}\n', "[]\n", '{"at": "2026", "path": 7}\n']
    log.write_text(answered(1) + "".join(bad) + answered(2, status=70000, attempts=300))
    following = follower(store, intake, log)

    assert following.look() == 2

    assert [row["status"] for row in stored(store)] == [200, 65535]
    assert following.unreadable == len(bad)


def test_a_kill_between_the_store_and_the_note_repeats_nothing(
    store: Store, intake: Intake, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    log.write_text(answered(1) + answered(2, request_id=None))
    follower(store, intake, log).look()
    (tmp_path / "places.json").unlink()
    with log.open("a") as file:
        file.write(answered(3) + answered(4)[:20])

    assert follower(store, intake, log).look() == 1

    assert [row["request_id"] for row in stored(store)] == ["id-1", "", "id-3"]


def test_a_log_put_aside_is_read_to_its_end_and_older_ones_never(
    store: Store, intake: Intake, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    (tmp_path / "access.log.1").write_text(answered(1))
    log.write_text(answered(2))
    follower(store, intake, log).look()
    with log.open("a") as file:
        file.write(answered(3))
    (tmp_path / "access.log.1").replace(tmp_path / "access.log.2")
    log.replace(tmp_path / "access.log.1")
    log.write_text(answered(4))

    follower(store, intake, log).look()

    assert [row["request_id"] for row in stored(store)] == ["id-2", "id-3", "id-4"]
