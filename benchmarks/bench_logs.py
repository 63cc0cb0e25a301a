"""Search in 10 million lines, and following a log; beside grep on the same lines.

Run as `python benchmarks/bench_logs.py [LINES]`. Times are medians of five, in milliseconds.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from steerway.platform.settings import load
from steerway.telemetry import store as stores
from steerway.telemetry.following.rules.requests import requests
from steerway.telemetry.following.rules.sources import Source
from steerway.telemetry.following.workflows.following import Follower
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.logs import queries
from steerway.telemetry.logs.rules.search import Filter
from steerway.telemetry.store import Store

LINES = 10_000_000
FOLLOWED = 300_000
PIECE = 200_000  # more would not fit into the memory that the store may use
SINCE = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
RARE = "needle4711"
FILL = """
INSERT INTO logs (ts, service, environment, version, instance, source, severity, body, attributes,
    trace_id, span_id)
SELECT toDateTime64('2026-03-02 00:00:00', 6, 'UTC')
        + toIntervalMicrosecond(number * {step:UInt64}),
    'service' || toString(number % 8), 'production', 'v' || toString(intDiv(number, 3000000)),
    'service' || toString(number % 8) || '.' || toString(number % 3), 'process',
    [5, 9, 9, 9, 9, 9, 13, 17][1 + rand(1) % 8],
    concat(['GET', 'POST', 'PUT'][1 + rand(2) % 3], ' /api/',
        ['orders', 'cart', 'users', 'items', 'pay'][1 + rand(3) % 5], '/',
        toString(rand(4) % 100000), ' status=',
        toString([200, 200, 200, 404, 500][1 + rand(5) % 5]),
        ' duration_ms=', toString(rand(6) % 1000), ' user=', hex(rand(7) % 50000),
        if(number % 3333333 = 1, ' needle4711 found', ''),
        if(rand(8) % 50 = 0, ' connection timeout to Database after retry', '')),
    map('thread', toString(rand(9) % 16)), lower(hex(rand64(10))) || lower(hex(rand64(11))),
    lower(hex(rand64(12)))
FROM numbers({first:UInt64}, {rows:UInt64})
"""


def timed(name: str, task: Callable[[], object], times: int = 5) -> None:
    """Print the median and the slowest of some runs, and the median of the processors' time."""
    walls, used = [], []
    for _ in range(times):
        begin, cpu = time.perf_counter(), _cpu()
        task()
        walls.append((time.perf_counter() - begin) * 1000)
        used.append((_cpu() - cpu) * 1000)
    print(
        f"{name:32}{statistics.median(walls):8.0f}{max(walls):9.0f}{statistics.median(used):9.0f}",
        flush=True,
    )


def _cpu() -> float:
    """Seconds of processors that this process and those it waited for have used."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def fill(store: Store, lines: int) -> None:
    step = int(DAY.total_seconds() * 1e6) // lines
    begin = time.perf_counter()
    for first in range(0, lines, PIECE):
        rows = min(PIECE, lines - first)
        store.execute(FILL, {"first": first, "rows": rows, "step": step})
    print(f"{lines:,} lines made in {time.perf_counter() - begin:.0f} s")
    size = "SELECT sum(bytes_on_disk) AS b FROM system.parts WHERE table = 'logs' AND active"
    print(f"on disk: {store.table(size)['b'][0].as_py() / lines:.1f} bytes a line, index included")


def search(store: Store) -> None:
    whole = Filter(since=SINCE, until=SINCE + DAY)
    of = partial(Filter, since=SINCE, until=SINCE + DAY)
    cases: dict[str, tuple[Callable[..., object], Filter]] = {
        "newest 100 lines": (queries.search, whole),
        "rare word": (queries.search, of(text=RARE)),
        "rare word, its case": (queries.search, of(text=RARE, match_case=True)),
        "a part of a rare word": (queries.search, of(text="eedle471")),
        "a word that is nowhere": (queries.search, of(text="absent9999")),
        "common word": (queries.search, of(text="timeout")),
        "phrase, service, severity": (
            queries.search,
            of(text='"timeout to database"', service="service3", severity=17),
        ),
        "attribute and service": (
            queries.search,
            of(service="service3", attributes={"thread": "3"}),
        ),
        "two words that never meet": (queries.search, of(text=f"{RARE} absent9999")),
        "histogram of all": (queries.histogram, whole),
        "histogram of a common word": (queries.histogram, of(text="timeout")),
        "histogram of a rare word": (queries.histogram, of(text=RARE)),
        "facets of a service": (queries.facets, of(service="service3")),
    }
    print(f"{'':32}{'median':>8}{'slowest':>9}{'CPU':>9}")
    for name, (query, asked) in cases.items():
        timed(name, partial(query, store, asked))


def peers(store: Store, home: Path) -> None:
    """Grep, on the same texts in one file, in the cache of the system."""
    file = home / "lines.txt"
    with file.open("w") as out:
        for hour in range(24):
            params = {"since": SINCE + hour * DAY / 24, "until": SINCE + (hour + 1) * DAY / 24}
            sql = (
                "SELECT body FROM logs WHERE ts >= {since:DateTime64(6)}"
                " AND ts < {until:DateTime64(6)}"
            )
            out.writelines(f"{one}\n" for one in store.table(sql, params)["body"].to_pylist())
    for tool in ("grep", "rg"):
        if shutil.which(tool):
            command = [tool, "-i", "-c", RARE, str(file)]
            run = partial(subprocess.run, command, capture_output=True, check=True)
            timed(f"{tool} -i, rare word", run, 3)
    file.unlink()


def follow(home: Path, name: str, line: Callable[[int], str]) -> None:
    """Lines a second through the follower: reading, understanding, storing, acknowledged."""
    file = home / f"{name}.log"
    file.write_text("".join(line(n) for n in range(FOLLOWED)))
    source = Source(instance=name, path=file, service=name, environment="e", version="v")
    intake = Intake(stores.current, now=lambda: SINCE)
    intake.start()
    follower = Follower(
        lambda: [source], partial(intake.add_logs, wait=True), store=stores.current,
        now=lambda: SINCE, file=home / f"{name}.json",
    )  # fmt: skip
    begin, cpu = time.perf_counter(), time.process_time()
    stored = 0
    while stored < FOLLOWED - 1:
        stored += follower.look()
    wall, used = time.perf_counter() - begin, time.process_time() - cpu
    intake.stop()
    print(
        f"followed, {name}: {stored / wall:,.0f} lines a second, {stored / used:,.0f} a CPU second"
    )


def access_log() -> None:
    """Lines of the access log decoded a second."""
    one = {
        "at": "2026-03-02T12:00:00.123Z", "service": "shop", "environment": "production",
        "version": "shop-production-1a2b", "release": "sha256:1", "method": "GET", "path": "/cart",
        "protocol": "HTTP/1.1", "status": 200, "attempts": 1, "duration_ms": 12, "host": "shop",
        "received_bytes": 3, "sent_bytes": 70, "client": "192.0.2.1", "request_id": "0" * 36,
        "user_agent": "curl", "upstream": "127.0.0.1:20000", "details": "via_upstream",
    }  # fmt: skip
    lines = (json.dumps(one) + "\n").encode() * 20_000
    begin = time.process_time()
    for _ in range(10):
        requests(lines, {})
    print(f"access log decoded: {200_000 / (time.process_time() - begin):,.0f} lines a CPU second")


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    home = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    try:
        store = stores.open(load({"STEERWAY_HOME": str(home)}))
        access_log()
        follow(
            home, "plain", lambda n: f"2026-03-02 00:00:00,{n % 1000:03} INFO app order {n} paid\n"
        )
        said = '{{"time": "2026-03-02T00:00:00Z", "level": "info", "msg": "order {n} paid"}}\n'
        follow(home, "json", lambda n: said.format(n=n))
        store.execute("TRUNCATE TABLE logs")
        fill(store, lines)
        search(store)
        peers(store, home)
    finally:
        stores.close()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
