"""Ingest of remote write and of OTLP, beside Debian's Prometheus with the same samples.

    PYTHONPATH=. python benchmarks/bench_ingest.py [small] [one | ten | OTLP]

Every server runs in a process of its own and gets the same bodies over HTTP from eight senders
that wait for each answer. Debian's Prometheus knows no OTLP; it gets the samples of the OTLP
bodies as remote write. Bounds: samples a second of its CPU, and wall, at least 1.0 of
Prometheus'; bytes a sample after a merge at most 1.0 of a Prometheus block's.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import psutil
from benchmarks.ingest import bodies
from benchmarks.ingest.bodies import Load

from tests.peers import prometheus as peer

SENDERS: Final = 8
MIB: Final = 1024 * 1024
IDLE_CPU: Final = 0.05  # of a second's
QUIET_SECONDS: Final = 3
REST_SECONDS_MAX: Final = 120
BUSY: Final = 503
AGAIN_SECONDS: Final = 0.5
SERVER: Final = Path(__file__).parent / "ingest" / "server.py"
CPU_BOUND, DISK_BOUND, RSS_BOUND = 1.0, 1.0, 1024
WRITE_HEADERS: Final = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
}
OTLP_HEADERS: Final = {"Content-Type": "application/x-protobuf"}


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is loaded."""

    port: int
    pid: int
    home: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it took."""

    wall: float
    cpu: float
    rss_mib: float


def main() -> int:
    """Measure; 1 when a bound is missed."""
    if not peer.is_here():
        print("Prometheus is missing: run tests/peers/obtain.sh")
        return 0
    words = sys.argv[1:]
    steps = 24 if "small" in words else 240
    loads = [
        Load("remote write, one sample a series", 20_000, steps, 2_000, 1),
        Load("remote write, ten samples a series", 20_000, steps * 2, 500, 10),
        Load("OTLP sums", 20_000, steps // 3 * 2, 2_000, 1),
    ]
    chosen = [load for load in loads if any(word in load.name for word in words)]
    verdicts = [_compare(load) for load in chosen or loads]
    return 0 if all(verdicts) else 1


def _compare(load: Load) -> bool:
    """Load both, and print what each took."""
    values = bodies.values_of(load)
    end_ms = time.time_ns() // 1_000_000
    shares = range(0, load.series, load.per_body)
    writes = [list(bodies.writes(load, values, end_ms, first)) for first in shares]
    with _prometheus() as theirs:
        them = _send(theirs, "/api/v1/write", WRITE_HEADERS, writes)
        their_size = _snapshot_bytes(theirs) / load.samples
    if load.name.startswith("OTLP"):
        writes = [list(bodies.otlp(load, values, end_ms, first)) for first in shares]
        path, headers = "/v1/metrics", OTLP_HEADERS
    else:
        path, headers = "/api/v1/write", WRITE_HEADERS
    with _steerway() as ours:
        us = _send(ours, path, headers, writes)
        our_size = _merged_bytes(ours, load.samples) / load.samples
    busy = os.getloadavg()[0]
    print(f"{load.name}: {load.samples} samples of {load.series} series, load {busy:.1f}")
    for name, one, size in (("Prometheus", them, their_size), ("Steerway", us, our_size)):
        print(
            f"  {name:10} {load.samples / one.wall:9,.0f} samples/s"
            f"  {load.samples / one.cpu:9,.0f} samples/CPU-s  {size:5.2f} bytes/sample"
            f"  {one.rss_mib:5.0f} MiB"
        )
    wall, cpu, size = them.wall / us.wall, them.cpu / us.cpu, our_size / their_size
    print(f"  ratio: {wall:.2f} in wall, {cpu:.2f} per CPU second, {size:.2f} in bytes", flush=True)
    verdicts = [
        _say("samples a CPU second beside Prometheus", cpu, ">=", CPU_BOUND),
        _say("bytes a sample beside Prometheus", size, "<=", DISK_BOUND),
        _say("MiB of memory at most", us.rss_mib, "<=", RSS_BOUND),
    ]
    return all(verdicts)


def _say(what: str, found: float, sign: str, bound: float) -> bool:
    is_within = found >= bound if sign == ">=" else found <= bound
    said = "within its bound" if is_within else "OUT OF ITS BOUND"
    print(f"  {what}: {found:.4g} {sign} {bound:g}, {said}", flush=True)
    return is_within


def _send(target: Target, path: str, headers: dict[str, str], shares: list[list[bytes]]) -> Outcome:
    """Send the bodies in order of time: each sender has some shares, and takes turns."""
    process = psutil.Process(target.pid)
    lanes = [
        list(chain.from_iterable(zip(*shares[n::SENDERS], strict=True))) for n in range(SENDERS)
    ]

    def send(lane: list[bytes]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=120)
        for body in lane:
            while (said := _posted(connection, path, body, headers)) == BUSY:
                time.sleep(AGAIN_SECONDS)
            assert said in (200, 204), said
        connection.close()

    before, began = _cpu(process), time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(send, lanes))
    wall = time.perf_counter() - began
    _rest(process)
    peak = _peak_mib(target.pid)
    return Outcome(wall, _cpu(process) - before, peak)


def _rest(process: psutil.Process) -> None:
    """Wait until what the load has caused is done: what waited is stored, parts are merged."""
    quiet = 0
    for _ in range(REST_SECONDS_MAX):
        before = _cpu(process)
        time.sleep(1)
        quiet = quiet + 1 if _cpu(process) - before < IDLE_CPU else 0
        if quiet == QUIET_SECONDS:
            return


def _posted(
    connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]
) -> int:
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status in (BUSY, 204) or said == b"", (answer.status, said)
    return answer.status


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@contextmanager
def _prometheus() -> Iterator[Target]:
    with peer.prometheus("global: {}\n", "--web.enable-admin-api") as one:
        port = int(one.url.rpartition(":")[2])
        command = psutil.Process(one.pid).cmdline()
        data = next(word for word in command if word.startswith("--storage.tsdb.path="))
        yield Target(port, one.pid, Path(data.partition("=")[2]))


def _snapshot_bytes(target: Target) -> int:
    """The size of a block with all samples."""
    address = f"http://127.0.0.1:{target.port}/api/v1/admin/tsdb/snapshot"
    request = urllib.request.Request(address, method="POST")
    with urllib.request.urlopen(request, timeout=300) as answer:
        name = json.load(answer)["data"]["name"]
    assert target.home is not None
    blocks = target.home / "snapshots" / name
    return sum(file.stat().st_size for file in blocks.rglob("*") if file.is_file())


@contextmanager
def _steerway() -> Iterator[Target]:
    home = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    port = peer.free_port()
    process = subprocess.Popen([sys.executable, str(SERVER), str(home), str(port)])
    try:
        _wait_for(port, process)
        yield Target(port, process.pid, home)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("the server did not start")


def _merged_bytes(target: Target, samples: int) -> int:
    assert target.home is not None
    os.kill(target.pid, signal.SIGUSR1)
    said = target.home / "size.json"
    end = time.monotonic() + 300
    while not said.exists() and time.monotonic() < end:
        time.sleep(0.2)
    time.sleep(0.2)
    found = json.loads(said.read_text())
    assert found["rows"] == samples, (found, samples)
    return int(found["bytes"])


if __name__ == "__main__":
    sys.exit(main())
