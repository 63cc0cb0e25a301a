"""Debian's Prometheus, started for a test or a benchmark, and its remote-write format."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cramjam
import numpy as np
from numpy.typing import NDArray

BINARIES = Path(__file__).parents[2] / "var" / "peers" / "usr" / "bin"
READY_SECONDS = 60.0
WAIT_SECONDS = 120.0
Labels = Mapping[str, str]


def is_here() -> bool:
    """Whether the peer was obtained."""
    return (BINARIES / "prometheus").exists()


@dataclass(frozen=True, slots=True)
class Peer:
    """A Prometheus that runs."""

    url: str
    pid: int

    def write(self, body: bytes) -> None:
        """Send a remote-write request."""
        request = urllib.request.Request(f"{self.url}/api/v1/write", bytes(body), method="POST")
        request.add_header("Content-Encoding", "snappy")
        request.add_header("Content-Type", "application/x-protobuf")
        urllib.request.urlopen(request, timeout=WAIT_SECONDS).close()

    def ask(self, path: str, **params: str) -> Any:
        """The data of an answer, or the error's text."""
        return asked(self.url, path, **params)


def asked(url: str, path: str, **params: str) -> Any:
    """The data of an answer of a server that speaks Prometheus' API, or the error's text."""
    address = f"{url}/api/v1/{path}?{urllib.parse.urlencode(params)}"
    try:
        with urllib.request.urlopen(address, timeout=WAIT_SECONDS) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@contextmanager
def prometheus(config: str = "global: {}\n", *options: str) -> Iterator[Peer]:
    """A Prometheus that takes remote writes, with an empty directory of its own."""
    home = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    (home / "prometheus.yml").write_text(config)
    port = free_port()
    command = [
        str(BINARIES / "prometheus"),
        f"--config.file={home}/prometheus.yml",
        f"--storage.tsdb.path={home}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--storage.tsdb.retention.time=100y",
        "--log.level=error",
        *options,
    ]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]}
        )
    try:
        _wait(f"http://127.0.0.1:{port}/-/ready", process)
        yield Peer(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("Prometheus did not start")


def wait(ready: Callable[[], bool]) -> None:
    """Until something is so."""
    end = time.monotonic() + READY_SECONDS
    while not ready():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


def head(labels: Labels) -> bytes:
    """The labels of a series, as remote write has them."""
    return b"".join(
        _field(0x0A, _field(0x0A, name.encode()) + _field(0x12, text.encode()))
        for name, text in sorted(labels.items())
    )


def written(heads: Sequence[bytes], times: Sequence[int], values: NDArray[np.float64]) -> bytes:
    """A remote-write request: the same moments for all series, a row of values for each."""
    moments = [b"\x10" + _varint(time) for time in times]
    size = 9 + len(moments[0])
    start = b"\x12" + _varint(size) + b"\x09"
    rows = values.astype("<f8")
    series = []
    for number, labels in enumerate(heads):
        raw = rows[number].tobytes()
        points = b"".join(
            [start + raw[8 * at : 8 * at + 8] + moment for at, moment in enumerate(moments)]
        )
        series.append(_field(0x0A, labels + points))
    return bytes(cramjam.snappy.compress_raw(b"".join(series)))


def _field(tag: int, body: bytes) -> bytes:
    return bytes([tag]) + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
