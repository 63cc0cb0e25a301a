"""Scraping pages of 20,000 samples, beside Debian's Prometheus with the same pages.

    PYTHONPATH=. python benchmarks/bench_scrape.py [SECONDS]

Each reads five targets once a second, alone, from a program of its own that answers the same
bytes. Its processor time is that of its whole process: reading, parsing, and keeping, with
Prometheus' log ahead and with what ClickHouse merges. The first seconds, in which all series are
new, are not counted. Bound: samples a CPU second at least 1.0 of Prometheus'.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import Final

import psutil
from benchmarks.scraping.page import LINES

from tests.peers import prometheus as peer

HERE: Final = Path(__file__).parent / "scraping"
TARGETS: Final = 5
WARM_SECONDS: Final = 20.0
BOUND: Final = 1.0
CONFIG: Final = """
global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: app
  static_configs: [{{targets: [{targets}]}}]
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What scraping for a while took."""

    samples: int
    seconds: float
    cpu: float
    page_seconds: float

    @property
    def per_cpu(self) -> float:
        """Samples a second of processor time."""
        return self.samples / self.cpu


def main() -> int:
    """Measure; 1 when the bound is missed."""
    if not peer.is_here():
        print("Prometheus is missing: run tests/peers/obtain.sh")
        return 0
    seconds = float(sys.argv[1]) if sys.argv[1:] else 40.0
    with _pages() as urls:
        rounds = [(_prometheus(urls, seconds), _steerway(urls, seconds)) for _ in range(2)]
    busy = os.getloadavg()[0]
    print(
        f"{TARGETS} pages of {LINES} samples, once a second, for {seconds:g} s, twice in turns,"
        f" load {busy:.1f}"
    )
    for them, us in rounds:
        _say("Prometheus", them)
        _say("Steerway", us)
        print(f"  ratio: {us.per_cpu / them.per_cpu:.2f} per CPU second", flush=True)
    ratio = sum(us.per_cpu for _, us in rounds) / sum(them.per_cpu for them, _ in rounds)
    said = "within its bound" if ratio >= BOUND else "OUT OF ITS BOUND"
    print(f"  samples a CPU second beside Prometheus: {ratio:.2f} >= {BOUND:g}, {said}")
    return 0 if ratio >= BOUND else 1


def _say(name: str, one: Outcome) -> None:
    print(
        f"  {name:10} {one.samples / one.seconds:9,.0f} samples/s kept up"
        f"  {one.per_cpu:9,.0f} samples/CPU-s  {1000 * one.page_seconds:6.1f} ms a page,"
        f" {LINES / one.page_seconds:9,.0f} samples/s at most by one reader"
    )


def _prometheus(urls: list[str], seconds: float) -> Outcome:
    hosts = ", ".join(f"'{urllib.parse.urlsplit(url).netloc}'" for url in urls)
    with peer.prometheus(CONFIG.format(targets=hosts)) as one:
        cpu, wall = _watched(psutil.Process(one.pid), seconds)
        window = f"{round(seconds)}s"
        scrapes = _ask(one.url, f"sum(count_over_time(up[{window}]))")
        page = _ask(one.url, f"avg(avg_over_time(scrape_duration_seconds[{window}]))")
    return Outcome(round(scrapes) * LINES, wall, cpu, page)


def _steerway(urls: list[str], seconds: float) -> Outcome:
    home = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}  # noqa: TID251 -- passed on
    command = [sys.executable, str(HERE / "server.py"), str(home), *urls]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=environment, **pipes)  # type: ignore[call-overload]  # as above
    try:
        cpu, wall = _watched(psutil.Process(process.pid), seconds)
        end = time.time()
        said, _ = process.communicate(f"{end - wall} {end}\n", timeout=120)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)
    found = loads(said)
    return Outcome(found["samples"], wall, cpu, found["page_seconds"])


def _watched(process: psutil.Process, seconds: float) -> tuple[float, float]:
    """Processor and wall time, after a while in which everything is new."""
    time.sleep(WARM_SECONDS)
    before, began = _cpu(process), time.perf_counter()
    time.sleep(seconds)
    return _cpu(process) - before, time.perf_counter() - began


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _ask(url: str, query: str) -> float:
    address = f"{url}/api/v1/query?query={urllib.parse.quote(query)}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        return float(loads(answer.read())["data"]["result"][0]["value"][1])


@contextmanager
def _pages() -> Iterator[list[str]]:
    ports = [peer.free_port() for _ in range(TARGETS)]
    shown = [subprocess.Popen([sys.executable, str(HERE / "page.py"), str(port)]) for port in ports]
    try:
        urls = [f"http://127.0.0.1:{port}/metrics" for port in ports]
        for url in urls:
            _wait_for(url)
        yield urls
    finally:
        for one in shown:
            one.terminate()
            one.wait()


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=30).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("the page is not shown")


if __name__ == "__main__":
    sys.exit(main())
