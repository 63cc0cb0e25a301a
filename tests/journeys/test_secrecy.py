"""Who may not, cannot; what is secret stays so; what was written stays as it was written."""

import re
import socket
import sqlite3
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest

from steerway.platform.client import Client, Problem
from tests.journeys import processes
from tests.journeys.installation import SECRET, Installation, until
from tests.journeys.people import Person

pytestmark = pytest.mark.journey
PAGES_MAX: Final = 80
API: Final = (
    "status", "services", "services/shop", "services/shop/descriptor", "deployments",
    "deployments/DEP-1", "releases", "changes", "changes/CHG-1", "log", "secrets", "people",
    "tokens", "me", "settings", "schema",
)  # fmt: skip


def test_a_viewer_cannot_deploy(serving: Installation, tmp_path: Path) -> None:
    vera = Person(serving, "vera", "viewer", tmp_path)
    before, seq = serving.traces(), serving.last_seq()
    wish = {"service": "shop", "environment": "production", "ref": "v2"}

    with pytest.raises(Problem) as refused:
        Client(vera.server, vera.secret).post("/api/deployments", wish)
    code, stdout, stderr = vera.steerway("deploy", "shop", "--ref", "v2")

    assert (refused.value.status, refused.value.kind) == (403, "forbidden")
    assert (code, stdout) == (3, "")
    assert re.fullmatch(
        r"vera.* may not deployments\.start on shop/production\. .*developer\.\n", stderr
    ), stderr
    assert vera.steerway("status").code == 0
    assert serving.traces() == before
    assert not [kind for kind in serving.types(seq) if kind.startswith(("deploy", "change"))]


def test_nobody_without_a_token_sees_anything(serving: Installation) -> None:
    for path in ("/api/status", "/api/log", "/api/services"):
        with pytest.raises(Problem) as refused:
            Client(f"http://127.0.0.1:{serving.port}").get(path)
        assert refused.value.status == 401


def test_no_secret_is_where_it_should_not_be(serving: Installation) -> None:
    serving.deploy("v2")
    serving.steerway("deploy", "shop", "--ref", "v2-broken-build")
    marker = SECRET.encode()
    replica = serving.pid(serving.replicas()[0])

    in_pages = [path for path, body in pages(serving) if marker in body]
    in_files = [path for path in serving.home.rglob("*") if holds(path, marker)]
    in_commands = [c for c in processes.of(serving.home).values() if SECRET in c]
    environments = [pid for pid in processes.of(serving.home) if bears(pid, marker)]

    assert bears(replica, marker)  # the search finds it where it must be
    assert in_pages == []
    assert in_files == []
    assert in_commands == []
    assert sorted(environments) == sorted(serving.pids(*serving.replicas()).values())


def test_one_changed_byte_is_the_first_bad_entry(serving: Installation) -> None:
    assert serving.steerway("log", "verify").code == 0
    serving.ok("down")
    bad = serving.rows("SELECT seq FROM log_event WHERE type = 'deployment.requested'")[0][0]
    with sqlite3.connect(serving.home / "records.db") as records:
        changed = "UPDATE log_event SET data = replace(data, 'v1', 'v7') WHERE seq = ?"
        assert records.execute(changed, (bad,)).rowcount == 1
    records.close()
    serving.ok("up")

    code, stdout, stderr = serving.steerway("log", "verify")

    assert code == 1
    assert re.search(rf"\b{bad}\b.*does not match its hash", stdout + stderr), stdout + stderr


def pages(installation: Installation) -> Iterator[tuple[str, bytes]]:
    """Every page that links lead to, and what the API gives to its owner."""
    waiting, seen = ["/", *(f"/api/{name}" for name in API)], set[str]()
    while waiting and len(seen) < PAGES_MAX:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        status, body = ask(installation, path)
        assert status < 500, path
        yield path, body
        found = re.findall(r'href="(/[^"#]*)"', body.decode(errors="replace"))
        waiting += [link for link in found if not link.startswith(("/static", "/account"))]
    until(lambda: len(seen) > len(API) + 8, "pages to look at", 0)


def ask(installation: Installation, path: str) -> tuple[int, bytes]:
    """The page as the owner of the machine sees it."""
    connection = HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(installation.home / "run" / "server.sock"))
    try:
        connection.request("GET", path, headers={"Accept": "text/html, application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def holds(path: Path, marker: bytes) -> bool:
    """Whether a file has these bytes."""
    return path.is_file() and marker in path.read_bytes()


def bears(pid: int, marker: bytes) -> bool:
    """Whether a process was given these bytes in its environment."""
    return marker in Path(f"/proc/{pid}/environ").read_bytes()
