"""What hosts say of themselves, by the newest values."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from steerway.control.hosts.errors import HostUnknown
from steerway.control.hosts.rules import (
    BUSY,
    MEMORY,
    Certificate,
    FileSystem,
    Host,
    Process,
)
from steerway.platform.web.charts import quoted
from steerway.telemetry.metrics import queries as metrics
from steerway.telemetry.metrics.rules import QueryLimits, milliseconds
from steerway.telemetry.series.listing import Span
from steerway.telemetry.store import Store
from steerway.telemetry.vectors.shapes import Vector

LIMITS: Final = QueryLimits(seconds=5, cells=1_000_000)
KNOWN: Final = timedelta(days=7)  # for so long a silent host is still listed
HOSTS_MAX: Final = 200
ROWS_MAX: Final = 100
WINDOW: Final = "[5m]"


def hosts(store: Store, *, now: datetime) -> list[Host]:
    """Every machine that was heard of in the last week, by name.

    Shape: six questions to the store, however many machines.
    Raises: StoreDown.
    """
    span = Span(milliseconds(now - KNOWN), milliseconds(now))
    names = metrics.label_values(store, "instance", ["node_boot_time_seconds"], span=span)
    return _hosts(store, names[:HOSTS_MAX], "", now)


def host(store: Store, name: str, *, now: datetime) -> Host:
    """One machine.

    Raises:
        HostUnknown: nothing was heard of it.
        StoreDown: the store does not answer.
    """
    span = Span(milliseconds(now - KNOWN), milliseconds(now))
    here = f"node_boot_time_seconds{{instance={quoted(name)}}}"
    if not metrics.series(store, [here], span=span):
        raise HostUnknown(host=name, days=KNOWN.days)
    return _hosts(store, [name], f"instance={quoted(name)}", now)[0]


def _hosts(store: Store, names: Sequence[str], more: str, now: datetime) -> list[Host]:
    comma = f",{more}" if more else ""
    filled = f"node_filesystem_avail_bytes{{{more}}} / node_filesystem_size_bytes{{{more}}}"
    booted = _by(store, f"node_boot_time_seconds{{{more}}}", now)
    busy = _by(store, BUSY.format(more=comma, window=WINDOW), now)
    used = _by(store, MEMORY.format(more=more), now)
    load = _by(store, f"node_load1{{{more}}}", now)
    full = _by(store, f"max by (instance) (1 - {filled})", now)
    return [
        Host(
            name=name,
            booted_at=datetime.fromtimestamp(booted[name], UTC) if name in booted else None,
            cpu_ratio=busy.get(name),
            memory_ratio=used.get(name),
            load=load.get(name),
            fullest_ratio=full.get(name),
        )
        for name in names
    ]


def _by(store: Store, query: str, now: datetime) -> dict[str, float]:
    return {labels.get("instance", ""): value for labels, value in _values(store, query, now)}


def _values(store: Store, query: str, now: datetime) -> list[tuple[Mapping[str, str], float]]:
    """Labels and value of each series that has one now."""
    found = metrics.instant(store, query, at=now, limits=LIMITS).value
    if not isinstance(found, Vector):
        return []
    pairs = zip(found.labels.sets(), found.values[:, 0].tolist(), strict=True)
    return [(labels, value) for labels, value in pairs if value == value]  # noqa: PLR0124 -- NaN


def file_systems(store: Store, name: str, *, now: datetime) -> list[FileSystem]:
    """What is mounted, the fullest first."""
    here = f"{{instance={quoted(name)}}}"
    available = {
        (labels.get("device", ""), labels.get("mountpoint", "")): value
        for labels, value in _values(store, f"node_filesystem_avail_bytes{here}", now)
    }
    found = []
    for labels, size in _values(store, f"node_filesystem_size_bytes{here}", now):
        key = labels.get("device", ""), labels.get("mountpoint", "")
        if size and key in available:
            found.append(FileSystem(key[1], key[0], size, available[key]))
    return sorted(found, key=lambda one: (-one.used_ratio, one.mountpoint))[:ROWS_MAX]


def certificates(store: Store, *, now: datetime) -> list[Certificate]:
    """Certificates that this installation looks at, those that end first before."""
    found = []
    for labels, value in _values(store, "certificate_not_after_timestamp_seconds", now):
        named = labels.get("host") or labels.get("path") or labels.get("subject") or "certificate"
        ends_at = datetime.fromtimestamp(value, UTC)
        found.append(Certificate(named, ends_at, (ends_at - now).days))
    return sorted(found, key=lambda one: (one.ends_at, one.name))[:ROWS_MAX]


def processes(store: Store, *, now: datetime) -> list[Process]:
    """Replicas and what they take, the largest first."""
    by = "service, environment, version, instance"
    memory = {
        _key(labels): value
        for labels, value in _values(store, f"sum by ({by}) (process_resident_memory_bytes)", now)
    }
    cpu = {
        _key(labels): value
        for labels, value in _values(
            store, f"sum by ({by}) (rate(process_cpu_seconds_total{WINDOW}))", now
        )
    }
    # Who has memory runs now; who has only spent time in the last minutes has ended.
    found = [
        Process(*key, cpu_cores=cpu.get(key), memory_bytes=held) for key, held in memory.items()
    ]
    return sorted(found, key=lambda one: -(one.memory_bytes or 0))[:ROWS_MAX]


def _key(labels: Mapping[str, str]) -> tuple[str, str, str, str]:
    return (
        labels.get("service", ""),
        labels.get("environment", ""),
        labels.get("version", ""),
        labels.get("instance", ""),
    )
