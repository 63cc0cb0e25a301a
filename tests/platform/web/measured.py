"""What a believable installation would have measured, in an open store."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from steerway.telemetry.store import Store
from tests.telemetry.seeding import seed, seed_samples

STEP = 15.0
LENGTH = timedelta(hours=2)
SHORT = timedelta(minutes=20)  # enough for whoever asks about now
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
PLACE = {"service": "shop", "environment": "production"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HOST = {"job": "host", "instance": "desk"}


def measure(store: Store, now: datetime, length: timedelta = LENGTH) -> None:
    """Some time of the shop in production and of one host: one deployment, a few failures."""
    count = int(length.total_seconds() / STEP) + 1
    times = [now.timestamp() - (count - 1 - n) * STEP for n in range(count)]
    switch = count // 3
    for version, since, until in (("v1.11", 0, switch), ("v1.12", switch, count)):
        _routed(store, version, times[since:until])
        _process(store, version, times[since:until])
    _host(store, times)
    seed(store, "logs", list(_lines(now)))
    seed(store, "requests", list(_requests(now)))
    seed(store, "spans", list(_spans(now)))


def _counted(times: list[float], rate: float) -> list[tuple[float, float]]:
    """A counter that rises by `rate` a second, more in the middle of each hour."""
    total, found = 0.0, []
    for at in times:
        total += rate * STEP * (1 + 0.4 * math.sin(at / 600))
        found.append((at, round(total, 3)))
    return found


def _routed(store: Store, version: str, times: list[float]) -> None:
    labels = {**PLACE, "version": version, "job": "router"}
    for code, rate in (("200", 30.0), ("404", 1.0), ("500", 0.2)):
        seed_samples(
            store, "router_requests_total", {**labels, "code": code}, _counted(times, rate)
        )
    name = "router_request_duration_seconds"
    for bound, share in zip(BOUNDS, (0.2, 0.5, 0.7, 0.85, 0.95, 0.98, 1.0), strict=True):
        points = _counted(times, 31.2 * share)
        seed_samples(store, f"{name}_bucket", {**labels, "le": str(bound)}, points)
    seed_samples(store, f"{name}_bucket", {**labels, "le": "+Inf"}, _counted(times, 31.2))
    seed_samples(store, f"{name}_count", labels, _counted(times, 31.2))


def _process(store: Store, version: str, times: list[float]) -> None:
    for number in range(2):
        labels = {**PLACE, "version": version, "job": "process", "instance": f"shop.{number}"}
        seed_samples(store, "process_cpu_seconds_total", labels, _counted(times, 0.12))
        memory = [(at, 9e7 + 2e6 * math.sin(at / 900 + number)) for at in times]
        seed_samples(store, "process_resident_memory_bytes", labels, memory)


def _host(store: Store, times: list[float]) -> None:
    for cpu in ("0", "1"):
        for mode, rate in (("idle", 0.6), ("user", 0.25), ("system", 0.1), ("iowait", 0.02)):
            labels = {**HOST, "cpu": cpu, "mode": mode}
            seed_samples(store, "node_cpu_seconds_total", labels, _counted(times, rate))
    steady = {
        "node_boot_time_seconds": times[0] - 86_400.0,
        "node_memory_MemTotal_bytes": 16e9,
        "node_memory_MemAvailable_bytes": 9e9,
        "node_load1": 0.8,
        "node_load15": 0.7,
    }
    for name, value in steady.items():
        seed_samples(store, name, HOST, [(at, value) for at in times])
    for mountpoint, left in (("/", 20e9), ("/data", 4e9)):
        labels = {**HOST, "mountpoint": mountpoint, "device": f"/dev{mountpoint}", "fstype": "ext4"}
        seed_samples(
            store, "node_filesystem_size_bytes", labels, [(at, 50e9) for at in times[-60:]]
        )
        seed_samples(
            store, "node_filesystem_avail_bytes", labels, [(at, left) for at in times[-60:]]
        )
    for name in ("receive", "transmit"):
        points = _counted(times, 40_000.0)
        labels = {**HOST, "device": "eth0"}
        seed_samples(store, f"node_network_{name}_bytes_total", labels, points)


def _lines(now: datetime) -> Iterator[dict[str, object]]:
    kinds = (
        (9, "GET /catalog 200 in 12 ms"),
        (9, "POST /checkout 201 in 48 ms"),
        (13, "payment took 2.1 s, trying again"),
        (17, "checkout failed: payment provider answered 503"),
        (5, "cache of prices is 93 % full"),
    )
    for number in range(240):
        level, body = kinds[number % 5 if number % 4 else 0]
        yield {
            "ts": now - timedelta(seconds=12 * number + 2),
            **PLACE,
            "version": "v1.12",
            "instance": f"shop.{number % 2}",
            "source": "process",
            "severity": level,
            "body": body,
            "attributes": {"order": f"o-{number}", "path": body.split(" ")[1]},
            "trace_id": TRACE if number == 3 else "",
            "span_id": "",
        }


def _requests(now: datetime) -> Iterator[dict[str, object]]:
    for number in range(200):
        is_bad = number % 40 == 0
        yield {
            "ts": now - timedelta(seconds=9 * number + 3),
            **PLACE,
            "version": "v1.12",
            "release": "",
            "status": 500 if is_bad else 200,
            "method": "POST" if number % 3 == 0 else "GET",
            "path": "/checkout" if number % 3 == 0 else f"/items/{number}",
            "duration_ms": 20.0 + number % 50,
            "attempts": 1,
            "flags": "",
            "client": "127.0.0.1",
            "request_id": f"r{number}",
            "trace_id": "",
            "bytes_in": 100,
            "bytes_out": 900,
        }


def _spans(now: datetime) -> Iterator[dict[str, object]]:
    start = now - timedelta(minutes=4)
    rows = (
        ("a1", "", "shop", "POST /checkout", "server", 0, 420, "error"),
        ("b1", "a1", "shop", "price the basket", "internal", 12, 60, "unset"),
        ("c1", "a1", "shop", "POST /payments", "client", 80, 330, "error"),
        ("d1", "c1", "ledger", "POST /payments", "server", 95, 300, "error"),
        ("e1", "d1", "ledger", "INSERT booking", "client", 120, 240, "ok"),
    )
    for span, parent, service, name, kind, after, took, status in rows:
        yield {
            "ts": start + timedelta(milliseconds=after),
            "duration_ns": took * 1_000_000,
            "trace_id": TRACE,
            "span_id": f"{span}{'0' * 14}",
            "parent_id": f"{parent}{'0' * 14}" if parent else "",
            "service": service,
            "environment": "production",
            "version": "v1.12",
            "instance": f"{service}.0",
            "name": name,
            "kind": kind,
            "status": status,
            "status_message": "payment provider answered 503" if status == "error" else "",
            "attributes": {"db.system": "postgresql"} if "INSERT" in name else {"http.route": name},
        }
