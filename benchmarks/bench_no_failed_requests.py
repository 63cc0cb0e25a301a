"""Requests that failed while versions of the shop changed under 100 requests a second.

    python benchmarks/bench_no_failed_requests.py

Deploys v2 and v1 in turn, blue-green and rolling, until 10,000 requests were sent under each.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from databases import home

SHOP: Final = Path(__file__).resolve().parent.parent / "examples" / "shop"
sys.path.insert(0, str(SHOP))

from story import Stage, declare  # noqa: E402 -- lies in a directory of its own

RATE: Final = 100
REQUESTS: Final = 10_200
PAUSE_SECONDS: Final = 1.0


def main() -> None:
    with stage() as one:
        one.run("up")
        declare(one)
        one.run("deploy", "shop", "--ref", "v1", "--why", "something to change")
        first = memory(one)
        print(f"{'strategy':<12}{'deployments':>12}{'seconds each':>14}{'requests':>10}"
              f"{'failed':>8}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}")  # fmt: skip
        changed = sum(show(one, strategy) for strategy in ("blue-green", "rolling"))
        print(f"\nserver memory: {first} after the first deployment, {memory(one)} after {changed}")


def show(one: Stage, strategy: str) -> int:
    """Change versions under visitors, print what they saw; how often versions changed."""
    apply(one, strategy)
    seconds: list[float] = []
    with visitors(one) as report:
        until = time.monotonic() + REQUESTS / RATE
        while time.monotonic() < until:
            ref = "v2" if len(seconds) % 2 == 0 else "v1"
            began = time.monotonic()
            one.run("deploy", "shop", "--ref", ref, "--why", "there and back")
            seconds.append(time.monotonic() - began)
            time.sleep(PAUSE_SECONDS)
    latency = report["latency_ms"]
    print(f"{strategy:<12}{len(seconds):>12}{sum(seconds) / len(seconds):>14.1f}"
          f"{report['requests']:>10}{report['failed']:>8}{latency['p50']:>8.1f}"
          f"{latency['p99']:>8.1f}{latency['max']:>8.1f}", flush=True)  # fmt: skip
    assert set(report["versions"]) == {"v1", "v2"}, report["versions"]
    return len(seconds)


def apply(one: Stage, strategy: str) -> None:
    """Have the shop deployed by this strategy."""
    shop = one.repository()
    descriptor = yaml.safe_load((shop / "steerway.yaml").read_text())
    descriptor["source"]["repository"] = str(shop)
    descriptor["run"]["directories"] = {"data": "0700"}  # YAML took it for a number
    descriptor["release"]["strategy"] = strategy
    file = one.home / "descriptor" / "steerway.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(descriptor, sort_keys=False))
    one.run("apply", "--file", str(file))


@contextmanager
def visitors(one: Stage) -> Iterator[dict[str, Any]]:
    """Visit for as long as the block takes; what was seen is in the mapping afterwards."""
    file, report = one.home / "visitors.json", dict[str, Any]()
    command = [sys.executable, str(SHOP / "loadgen.py"), "--url", one.shop_url]
    command += ["--rate", str(RATE), "--report", str(file), "--seed", "7"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield report
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    report |= json.loads(file.read_text())


def memory(one: Stage) -> str:
    """Resident memory of the server; its share of what processes share counted by part."""
    pid = (one.home / "run" / "server.lock").read_text().strip()
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return f"{kilobytes['Rss'] / 1000:.0f} MB (PSS {kilobytes['Pss'] / 1000:.0f} MB)"


@contextmanager
def stage() -> Iterator[Stage]:
    """An installation of its own, stopped and removed at the end."""
    with home() as directory:
        one = Stage(directory)
        try:
            yield one
        finally:
            one.run("down")


if __name__ == "__main__":
    main()
