"""The server is killed while telemetry comes in: what it has answered is there, and once."""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import cramjam
import pytest

from steerway.telemetry.decoding.protobuf import COMMON, LOGS, WRITE, messages
from tests.journeys.installation import Installation

W, L = messages(WRITE), messages(COMMON + LOGS)
PROTOBUF = {"Content-Type": "application/x-protobuf"}
KILLS = 3
BODIES_BETWEEN = 15
SERIES = 40
# A process of its own: the engine of one home is opened by one process, and the server has ended.
COUNT = """
import json, sys
from steerway.platform.settings import load
from steerway.telemetry import store
opened = store.open(load({"STEERWAY_HOME": sys.argv[1]}))
samples = "SELECT count() AS n, count(DISTINCT (id, ts)) AS once FROM samples WHERE metric = 'sent'"
logs = "SELECT count() AS n, count(DISTINCT body) AS once FROM logs WHERE source = 'otlp'"
print(json.dumps([opened.table(sql).to_pylist()[0] for sql in (samples, logs)]))
store.close()
"""


class Local(http.client.HTTPConnection):
    """A connection through the local door."""

    def __init__(self, path: Path) -> None:
        super().__init__("local", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(str(self.path))


class Sender(threading.Thread):
    """Sends bodies one after the other, each until it is answered."""

    def __init__(
        self, door: Path, path: str, headers: dict[str, str], body: Callable[[int], bytes]
    ) -> None:
        super().__init__(daemon=True)
        self.door, self.path, self.headers, self.body = door, path, headers, body
        self.answered = 0
        self.refused: list[str] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        for number in count():
            if self.is_over.is_set():
                return
            body = self.body(number)
            while not self.is_answered(body):
                self.is_over.wait(0.05)
            self.answered = number + 1

    def is_answered(self, body: bytes) -> bool:
        connection = Local(self.door)
        try:
            connection.request("POST", self.path, body, self.headers | PROTOBUF)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if answer.status not in (200, 204, 503):
            self.refused.append(f"{answer.status} {said!r}")
        return answer.status != 503


def write_body(number: int) -> bytes:
    at_ms = time.time_ns() // 1_000_000
    labels = [[("__name__", "sent"), ("job", "test"), ("n", str(n))] for n in range(SERIES)]
    series = [
        {
            "labels": [{"name": name, "value": value} for name, value in one],
            "samples": [{"timestamp": at_ms, "value": number}],
        }
        for one in labels
    ]
    return bytes(cramjam.snappy.compress_raw(W["Request"](timeseries=series).SerializeToString()))


def logs_body(number: int) -> bytes:
    record = {"time_unix_nano": time.time_ns(), "body": {"string_value": f"line {number}"}}
    request = L["Request"](resource_logs=[{"scope_logs": [{"log_records": [record]}]}])
    return request.SerializeToString()


@pytest.mark.journey
def test_nothing_that_was_answered_is_lost_or_counted_twice(
    steerway: Installation, record_property: Callable[[str, Any], None]
) -> None:
    door = steerway.home / "run" / "server.sock"
    senders = [
        Sender(door, "/api/v1/write", {"Content-Encoding": "snappy"}, write_body),
        Sender(door, "/v1/logs", {}, logs_body),
    ]
    for sender in senders:
        sender.start()

    waits = []
    for _ in range(KILLS):
        more(senders)
        killed = steerway.kill("server")
        began = time.monotonic()
        more(senders, 1)
        waits.append(time.monotonic() - began)
        steerway.reborn("server", killed)
    more(senders)
    for sender in senders:
        sender.is_over.set()
        sender.join()
    steerway.ok("down")

    found = subprocess.run(
        [sys.executable, "-c", COUNT, str(steerway.home)],
        capture_output=True,
        check=True,
        text=True,
    )
    samples, logs = json.loads(found.stdout)
    writes, lines = (sender.answered for sender in senders)
    assert [sender.refused for sender in senders] == [[], []]
    assert samples == {"n": writes * SERIES, "once": writes * SERIES}
    assert logs == {"n": lines, "once": lines}
    record_property("seconds from kill -9 to the next answer", [round(wait, 1) for wait in waits])


def more(senders: list[Sender], bodies: int = BODIES_BETWEEN) -> None:
    """Wait until each sender has been answered so many more times."""
    aims = [sender.answered + bodies for sender in senders]
    end = time.monotonic() + 120
    while any(sender.answered < aim for sender, aim in zip(senders, aims, strict=True)):
        assert time.monotonic() < end, "the senders are answered"
        time.sleep(0.05)
