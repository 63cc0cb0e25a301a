"""The event log: appending, checking the chain, exporting, and the memory an export takes.

    python benchmarks/bench_log.py

Entries are appended as actions do it, with `work.record` in a transaction that is on disk when
it ends. Checking and exporting read a log of a million entries; the export is read from a
server, so that its memory is the server's. The bound is 2,000 entries appended a second.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import psutil
from databases import DATABASES, ask

BOUND: Final = 2000
MANY: Final = 1_000_000
ROUNDS: Final = 9
APPENDED: Final = 2000
WRITERS: Final = 4
START_SECONDS: Final = 30
MEGA: Final = 1_000_000


def main() -> None:
    for database in DATABASES:
        found = ask(__file__, database)
        print(f"\n{database}, {found['entries']:,} entries before; medians of {ROUNDS}")
        for what, rates in found["rates"].items():
            bound = f"   bound ≥ {BOUND:,}/s" if what.startswith("append") else ""
            middle, best = statistics.median(rates), max(rates)
            print(f"  {what:52}{middle:10,.0f}/s   best {best:8,.0f}/s{bound}")
        print(f"  {'one sync of the disk, beside them':52}{found['sync']:10.2f} ms")
        print(f"  {'server before the export, resident':52}{found['before']:10.1f} MB")
        print(f"  {'server at most during the export':52}{found['most']:10.1f} MB")
        print(f"  exported {found['lines']:,} lines, {found['bytes'] / MEGA:,.0f} MB")


def work() -> dict[str, Any]:
    """Everything about one database."""
    from seeding import events  # noqa: PLC0415 -- Django is loaded now

    from steerway.platform import clock  # noqa: PLC0415 -- the same
    from steerway.platform.log import queries as log  # noqa: PLC0415 -- the same

    events(MANY, services=1000, now=clock.now())
    entries = log.last_seq()
    rates = {
        "append, one entry a transaction": repeated(lambda: appended(1)),
        "append, ten entries a transaction": repeated(lambda: appended(10)),
        f"append, one entry a transaction, {WRITERS} writers": repeated(together),
        "check the chain": [checked()],
    }
    exported = export()
    rates["export as CloudEvents, over HTTP"] = [exported.pop("rate")]
    return {"entries": entries, "rates": rates, "sync": sync(), **exported}


def repeated(task: Callable[[], float]) -> list[float]:
    return [task() for _ in range(ROUNDS)]


def appended(size: int, count: int = APPENDED) -> float:
    """Entries appended a second, `size` of them in each transaction."""
    from seeding import hand  # noqa: PLC0415 -- Django is loaded now

    from steerway.platform.db import unit_of_work  # noqa: PLC0415 -- the same

    began = time.monotonic()
    for number in range(count // size):
        with unit_of_work():
            for position in range(size):
                hand().record(
                    "deployment.succeeded",
                    f"DEP-{number}",
                    service="shop",
                    environment="production",
                    release=f"v{position}",
                    seconds="21.4",
                )
    return count / (time.monotonic() - began)


def together() -> float:
    """The same with several threads that write at once, as the server's do."""
    began = time.monotonic()
    threads = [
        threading.Thread(target=appended, args=(1, APPENDED // WRITERS)) for _ in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return APPENDED / (time.monotonic() - began)


def checked() -> float:
    from steerway.platform.log import queries as log  # noqa: PLC0415 -- Django is loaded now

    began = time.monotonic()
    verdict = log.verify()
    assert verdict.bad is None, verdict
    return verdict.entries / (time.monotonic() - began)


def sync() -> float:
    """Milliseconds that this disk takes to keep a page, the least an append can take."""
    file = Path(os.environ["STEERWAY_HOME"]) / "sync"  # noqa: TID251 -- where the database is
    times = []
    with file.open("wb") as handle:
        for _ in range(100):
            handle.write(bytes(4096))
            handle.flush()
            began = time.perf_counter()
            os.fdatasync(handle.fileno())
            times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def export() -> dict[str, float]:
    """Read the whole export from a server that does nothing else; its memory and speed."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = str(door.getsockname()[1])
    code = "import bench_log; bench_log.serve()"
    server = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "STEERWAY_PORT": port},  # noqa: TID251 -- passed on
        cwd=Path(__file__).parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return _exported(psutil.Process(server.pid))
    finally:
        server.terminate()
        server.wait()


def _exported(server: psutil.Process) -> dict[str, float]:
    answer = _asked("/api/log?rows=1")
    answer.read()
    before = server.memory_info().rss / MEGA
    most, lines, size, began = before, 0, 0, time.monotonic()
    answer = _asked("/api/log/export")
    while chunk := answer.read(1 << 20):
        lines += chunk.count(b"\n")
        size += len(chunk)
        most = max(most, server.memory_info().rss / MEGA)
    rate = lines / (time.monotonic() - began)
    return {"rate": rate, "lines": lines, "bytes": size, "before": before, "most": most}


def _asked(path: str) -> Any:
    """The answer of the local door, as soon as it is open."""
    door = Path(os.environ["STEERWAY_HOME"]) / "run" / "server.sock"  # noqa: TID251 -- ours
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = HTTPConnection("localhost")
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(door))
            connection.request("GET", path)
            return connection.getresponse()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def serve() -> None:
    """The server without the part that works."""
    from steerway.app.server import serve as run  # noqa: PLC0415 -- in the server's process only
    from steerway.platform import settings  # noqa: PLC0415 -- the same

    class Nobody:
        def __init__(self, settings: object) -> None:
            """Needs nothing."""

        def start(self) -> None:
            """Do nothing."""

        def stop(self) -> None:
            """Nothing runs."""

    run(settings.load(), Nobody)  # type: ignore[arg-type] # all that the server asks of a worker


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        from steerway.app import django_setup

        django_setup.prepare()
        print(json.dumps(work()))
    else:
        main()
