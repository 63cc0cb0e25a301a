"""Seconds until the first page and until the shop answers; what the parts cost at rest.

    python benchmarks/bench_start.py

Plays what `make up` plays, in homes of its own on free ports: `examples/shop/story.py up`.
"""

import http.client
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
from databases import home

SHOP = Path(__file__).resolve().parent.parent / "examples" / "shop"
sys.path.insert(0, str(SHOP))

from story import Stage, declare  # noqa: E402 -- lies in a directory of its own

TIMES: Final = 3
COMMANDS: Final = 15
SETTLE_SECONDS: Final = 10
REST_SECONDS: Final = 30
WAIT_SECONDS: Final = 120
MEGA: Final = 1_000_000


def main() -> None:
    pages, shops = [], []
    for number in range(TIMES):
        with stage() as one:
            page, shop = story(one)
            pages.append(page)
            shops.append(shop)
            if number == TIMES - 1:
                says("`make up` on an installed checkout, a home without anything:", pages, shops)
                commands(one)
                again(one)
    with stage() as one:
        one.run("up")
        declare(one)
        one.run("deploy", "shop", "--ref", "v1", "--why", "something to look after")
        rest(one)


@contextmanager
def stage() -> Iterator[Stage]:
    """An installation of its own, stopped and removed at the end, also when told to stop."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
    with home() as directory:
        one = Stage(directory)
        try:
            yield one
        finally:
            subprocess.run([sys.executable, "-m", "steerway.app", "down"], env=one.environment,
                           check=True, capture_output=True)  # fmt: skip


def story(one: Stage) -> tuple[float, float]:
    """Seconds from `make up` to the first page, and to the shop behind the router."""
    began = time.monotonic()
    page = Watch(lambda: answers(one.port, "localhost", "/account/login"), began)
    shop = Watch(lambda: answers(one.router_port, "shop.localhost", "/version"), began)
    command = [sys.executable, str(SHOP / "story.py"), "up"]
    subprocess.run(command, env=one.environment, check=True, capture_output=True)
    return page.seconds(), shop.seconds()


class Watch:
    """Asks again and again in a thread until the answer is yes."""

    def __init__(self, ask: Callable[[], bool], began: float) -> None:
        self._ask, self._began, self._seconds = ask, began, 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def seconds(self) -> float:
        """Seconds until it was."""
        self._thread.join(WAIT_SECONDS)
        assert self._seconds, "it never answered"
        return self._seconds

    def _watch(self) -> None:
        while not self._ask():
            time.sleep(0.02)
        self._seconds = time.monotonic() - self._began


def answers(port: int, host: str, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": f"{host}:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def says(what: str, pages: list[float], shops: list[float]) -> None:
    print(what)
    row("to the first page", pages, "s", "≤ 4 s")
    row("to the shop through the router", shops, "s", "≤ 15 s")


def commands(one: Stage) -> None:
    """What somebody at a terminal waits for, beside an interpreter that does nothing."""
    print("\nThe command line, whole processes:")
    status = [sys.executable, str(Path(sys.executable).with_name("steerway")), "status"]
    own = [timed(status, one.environment) for _ in range(COMMANDS)]
    bare = [timed([sys.executable, "-c", "pass"], one.environment) for _ in range(COMMANDS)]
    row("steerway status", [1000 * wall for wall, _ in own], "ms", "≤ 150 ms")
    row("  of which processor time", [1000 * cpu for _, cpu in own], "ms")
    row("python -c pass", [1000 * wall for wall, _ in bare], "ms")


def again(one: Stage) -> None:
    """From down to up with everything in place, as after a reboot."""
    subprocess.run([sys.executable, "-m", "steerway.app", "down"], env=one.environment, check=True,
                   capture_output=True)  # fmt: skip
    began = time.monotonic()
    page = Watch(lambda: answers(one.port, "localhost", "/account/login"), began)
    shop = Watch(lambda: answers(one.router_port, "shop.localhost", "/version"), began)
    one.run("up")
    print("\n`steerway up` after `steerway down`, with what was deployed before:")
    row("to the first page", [page.seconds()], "s")
    row("to the shop through the router", [shop.seconds()], "s")


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and processor seconds of one process."""
    before, began = os.times(), time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    wall, after = time.monotonic() - began, os.times()
    own = after.children_user - before.children_user
    return wall, own + after.children_system - before.children_system


def rest(one: Stage) -> None:
    """Memory and processor time of every part while nobody asks for anything."""
    time.sleep(SETTLE_SECONDS)
    found = parts(one)
    before = {name: processor(process) for name, process in found.items()}
    time.sleep(REST_SECONDS)
    print(f"\nAt rest with the shop deployed, over {REST_SECONDS} s (server ≤ 200 MB):")
    print(f"  {'part':24}{'resident':>12}{'own share':>12}{'processor':>12}{'threads':>9}")
    for name, process in found.items():
        memory = process.memory_full_info()
        used = processor(process) - before[name]
        print(
            f"  {name:24}{memory.rss / MEGA:9.1f} MB{memory.pss / MEGA:9.1f} MB"
            f"{100 * used / REST_SECONDS:10.2f} %{process.num_threads():9}"
        )


def processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def parts(one: Stage) -> dict[str, psutil.Process]:
    """The processes of this installation, by what they are."""
    marks = {"supervisord": "supervisor.supervisord", "router": "envoy/_bin/envoy",
             "router's keeper": "keeper.py"}  # fmt: skip
    found = {"server": psutil.Process(int((one.home / "run" / "server.lock").read_text()))}
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        for name, mark in marks.items():
            if mark in line and f"{one.home}/" in f"{line}/":
                found[name] = process
    return found


def row(what: str, values: list[float], unit: str, bound: str = "") -> None:
    middle = statistics.median(values)
    print(
        f"  {what:34}{min(values):8.2f}{middle:8.2f}{max(values):8.2f} {unit}"
        f"  (least, median, most of {len(values)}){f'  bound {bound}' if bound else ''}"
    )


if __name__ == "__main__":
    main()
