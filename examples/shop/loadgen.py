"""Fixed-rate visitors for the shop: what they sent, what they saw, and what failed.

Open loop: request n is due at start + n / rate whether or not earlier answers came, and its
latency counts from that moment, so a stalled server cannot hide behind a stalled client.
Standard library only; one thread; memory does not grow with the length of a run.
"""

import argparse
import asyncio
import json
import math
import os
import random
import selectors
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from connection import Connection
from seen import Call, Tally

SKUS = ("house", "yirgacheffe", "huila", "sidamo", "antigua", "decaf")
MIX = {"/": 20, "/catalog": 45, "/orders": 20, "/checkout": 15}
CONNECTIONS_MAX = (
    256  # more are never needed below 300 requests/s; above, requests wait and it shows
)
SWEEP_SECONDS = 0.1  # how precisely a timeout is noticed


@dataclass(frozen=True)
class Plan:
    """What a run should do."""

    address: tuple[str, int]
    host: str
    rate: float
    limit: float  # how many calls; infinite until stopped
    seed: int
    mix: dict[str, int]
    timeout: float

    def calls(self, start: float) -> Iterator[Call]:
        """The calls of the run, in order: the same for the same seed."""
        chance = random.Random(self.seed)
        paths, weights = list(self.mix), list(self.mix.values())
        number = 0
        while number < self.limit:
            path = chance.choices(paths, weights)[0]
            call = Call(number, start + number / self.rate, "GET", path)
            if path == "/checkout":
                call.method, call.key = "POST", f"{chance.getrandbits(96):024x}"
                order = {"sku": chance.choice(SKUS), "quantity": chance.randint(1, 4)}
                call.body = json.dumps(order).encode()
            yield call
            number += 1


class Visitors:
    """The run: a schedule, a pool of connections, and the tally."""

    def __init__(self, plan: Plan, tally: Tally) -> None:
        self.plan = plan
        self.tally = tally
        self.idle: list[Connection] = []
        self.open: set[Connection] = set()
        self.opening: set[asyncio.Task[None]] = set()
        self.waiting: deque[Call] = deque()
        self.start = self.start_cpu = 0.0
        self.scheduled = 0
        self.unfinished = 0
        self.stopping = False

    async def run(self, progress: float) -> None:
        """Send every call on time, then wait for the last answers."""
        self.start, self.start_cpu = time.monotonic(), time.process_time()
        self.calls = self.plan.calls(self.start)
        self.tick(next(self.calls, None))
        spoken = self.start
        while self.unfinished or not self.stopping:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep(time.monotonic())
            if progress and time.monotonic() - spoken >= progress:
                spoken = time.monotonic()
                print(headline(self.tally), flush=True)
        for connection in list(self.open):
            connection.abort()

    def stop(self) -> None:
        """Send nothing more."""
        self.stopping = True

    def tick(self, call: Call | None) -> None:
        """Send what is due and come back when the next call is."""
        while call and not self.stopping and call.due <= time.monotonic():
            self.scheduled += 1
            self.unfinished += 1
            self.dispatch(call)
            call = next(self.calls, None)
        if call and not self.stopping:
            asyncio.get_running_loop().call_at(call.due, self.tick, call)
        else:
            self.stopping = True

    def dispatch(self, call: Call) -> None:
        """Send on an idle connection, else on a new one, else wait for one."""
        while self.idle:
            connection = self.idle.pop()
            if connection.transport and not connection.transport.is_closing():
                connection.send(call)
                return
        self.connect(call)

    def connect(self, call: Call) -> None:
        """Send on a new connection."""
        if not self.has_room:
            self.waiting.append(call)
            return
        task = asyncio.get_running_loop().create_task(self.open_for(call))
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)

    @property
    def has_room(self) -> bool:
        """Whether one more connection may be opened."""
        return len(self.open) + len(self.opening) < CONNECTIONS_MAX

    async def open_for(self, call: Call) -> None:
        """Open a connection and send the call on it."""
        loop = asyncio.get_running_loop()
        left = max(call.due + self.plan.timeout - time.monotonic(), 0)
        try:
            async with asyncio.timeout(left):
                _, connection = await loop.create_connection(
                    lambda: Connection(self), *self.plan.address
                )
        except TimeoutError:
            self.finish(call, "timeout")
        except ConnectionRefusedError:
            self.finish(call, "refused")
        except OSError:
            self.finish(call, "connect")
        else:
            self.open.add(connection)
            connection.send(call)

    def wire(self, call: Call) -> bytes:
        """The bytes of a request."""
        head = f"{call.method} {call.path} HTTP/1.1\r\nHost: {self.plan.host}\r\n"
        if call.method == "POST":
            head += f"Idempotency-Key: {call.key}\r\nContent-Type: application/json\r\n"
            head += f"Content-Length: {len(call.body)}\r\n"
        return (head + "User-Agent: shop-visitors\r\n\r\n").encode() + call.body

    def retry(self, call: Call) -> None:
        """Repeat a GET whose reused connection closed before a byte, as browsers do, once."""
        call.retried = True
        self.tally.reused_retries += 1
        self.connect(call)

    def forget(self, connection: Connection) -> None:
        """A connection is gone."""
        self.open.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)

    def finish(self, call: Call, kind: str) -> None:
        """A call is over; whoever waits for a connection may have one now."""
        self.unfinished -= 1
        self.tally.finish(call, kind, time.monotonic(), self.start)
        if self.waiting:
            asyncio.get_running_loop().call_soon(self.next_waiting)

    def next_waiting(self) -> None:
        """Give a freed connection to the oldest waiting call."""
        if self.waiting:
            self.dispatch(self.waiting.popleft())

    def sweep(self, now: float) -> None:
        """Fail what took too long."""
        overdue = now - self.plan.timeout
        for connection in list(self.open):
            if connection.call and connection.call.due < overdue:
                connection.fail("timeout")
        while self.waiting and self.waiting[0].due < overdue:
            self.finish(self.waiting.popleft(), "timeout")
        while self.waiting and (self.idle or self.has_room):
            self.dispatch(self.waiting.popleft())


def headline(tally: Tally) -> str:
    """One line of what was seen so far."""
    seen = tally.everything
    versions = ", ".join(f"{name} {group.requests}" for name, group in tally.versions.items())
    return (
        f"{seen.requests} requests, {seen.failed} failed, "
        f"p95 {seen.latency.percentile(95)} ms ({versions})"
    )


def report(visitors: Visitors, url: str, started_at: datetime, seconds: float) -> dict[str, object]:
    """Everything a check may want to know about the run.

    Units: milliseconds for latencies, since each call was due; seconds for the rest.
    """
    plan, tally = visitors.plan, visitors.tally
    return {
        "url": url,
        "host": plan.host,
        "rate": plan.rate,
        "seed": plan.seed,
        "started_at": started_at.isoformat(),
        "seconds": round(seconds, 3),
        "scheduled": visitors.scheduled,
        **tally.everything.summary(),
        "failures": dict(tally.failures),
        "first_failure": tally.failed_first,
        "last_failure": tally.failed_last,
        "reused_retry": tally.reused_retries,
        "statuses": dict(sorted(tally.statuses.items())),
        "versions": {name: group.summary() for name, group in sorted(tally.versions.items())},
        "routes": {name: group.summary() for name, group in sorted(tally.routes.items())},
        "sent_late_ms": tally.late.summary(),
        "cpu_seconds": round(time.process_time() - visitors.start_cpu, 3),
    }


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(description="Visit the shop at a fixed rate.")
    add = result.add_argument
    add("--url", default=os.environ.get("SHOP_URL", "http://shop.localhost:8080"))
    add("--host", help="Host header; the URL's by default")
    add("--rate", type=float, default=5, help="requests per second")
    add("--duration", type=float, help="seconds; until stopped by default")
    add("--count", type=int, help="stop after this many requests")
    add("--seed", type=int, default=None, help="repeat a run exactly; random by default")
    add("--mix", default="", help="weights, such as /=20,/checkout=80")
    add("--timeout", type=float, default=10, help="seconds until a call has failed")
    add("--progress", type=float, default=0, help="print a line every so many seconds")
    add("--report", type=Path, metavar="FILE.json", help="write the summary there")
    add("--log", type=Path, metavar="FILE.jsonl", help="write every response there")
    add("--fail-on-error", action="store_true", help="exit 1 when a request failed")
    return result


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan the options ask for; *.localhost is this machine, whatever DNS says."""
    url = urlsplit(options.url)
    name = url.hostname or "127.0.0.1"
    by_time = options.duration * options.rate if options.duration is not None else math.inf
    mix = dict(pair.split("=") for pair in options.mix.split(",") if pair)
    return Plan(
        address=("127.0.0.1" if name.endswith("localhost") else name, url.port or 80),
        host=options.host or url.netloc,
        rate=options.rate,
        limit=min(by_time, math.inf if options.count is None else options.count),
        seed=random.SystemRandom().getrandbits(32) if options.seed is None else options.seed,
        mix={path: int(weight) for path, weight in mix.items()} or MIX,
        timeout=options.timeout,
    )


async def visit(options: argparse.Namespace, log: IO[str] | None) -> dict[str, object]:
    """Run to the end, or to SIGTERM or SIGINT, and report."""
    visitors = Visitors(plan_of(options), Tally(log))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, visitors.stop)
    started_at, start = datetime.now(UTC), time.monotonic()
    await visitors.run(options.progress)
    print(headline(visitors.tally), flush=True)
    return report(visitors, options.url, started_at, time.monotonic() - start)


def precise_loop() -> asyncio.AbstractEventLoop:
    """An event loop that wakes up within microseconds of the wanted time (epoll: a millisecond)."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def main() -> int:
    """Visit, print the summary, and say by the exit code whether anything failed."""
    arguments = parser()
    options = arguments.parse_args()
    if options.rate <= 0 or urlsplit(options.url).scheme != "http":
        arguments.error("--rate is above 0, and --url begins with http://")
    log = options.log.open("w", buffering=1 << 16) if options.log else None
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        result = runner.run(visit(options, log))
    if log:
        log.close()
    text = json.dumps(result, indent=2)
    if options.report:
        options.report.write_text(text + "\n")
    else:
        print(text)
    return 1 if options.fail_on_error and result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
