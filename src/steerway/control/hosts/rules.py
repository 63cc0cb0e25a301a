"""Which questions a host is asked, and what it has left. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from steerway.platform.web.charts import Chart, Query, Threshold, quoted

WINDOW: Final = "[$__rate_interval]"
# Devices that are none: what is mounted from memory, and the machine speaking to itself.
REAL_DEVICES: Final = 'device!~"lo|veth.*|docker.*|br-.*"'
FULL: Final = (Threshold(0.9, "warn", "90 %"), Threshold(0.97, "bad", "97 %"))
TIGHT, FULL_RATIO = 0.85, 0.95
EXPIRES_DAYS: Final = (7, 21)
BUSY: Final = '1 - avg by (instance) (rate(node_cpu_seconds_total{{mode="idle"{more}}}{window}))'
MEMORY: Final = (
    "1 - node_memory_MemAvailable_bytes{{{more}}} / node_memory_MemTotal_bytes{{{more}}}"
)


@dataclass(frozen=True, slots=True)
class Host:
    """A machine, by its newest values; None where nothing is known."""

    name: str
    booted_at: datetime | None
    cpu_ratio: float | None
    memory_ratio: float | None
    load: float | None
    fullest_ratio: float | None

    @property
    def is_heard(self) -> bool:
        """Whether anything was heard of it just now."""
        return self.booted_at is not None


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A mounted file system."""

    mountpoint: str
    device: str
    size_bytes: float
    available_bytes: float

    @property
    def used_ratio(self) -> float:
        """The share that is used or kept for the administrator."""
        return 1 - self.available_bytes / self.size_bytes if self.size_bytes else 0.0

    @property
    def tone(self) -> str:
        """Warn before it is full."""
        return tone_of(self.used_ratio)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its end."""

    name: str
    ends_at: datetime
    days_left: int

    @property
    def tone(self) -> str:
        """Bad in the last week, warn in the last three."""
        bad, warn = EXPIRES_DAYS
        return "bad" if self.days_left < bad else "warn" if self.days_left < warn else "good"


@dataclass(frozen=True, slots=True)
class Process:
    """A replica, and what it takes."""

    service: str
    environment: str
    version: str
    instance: str
    cpu_cores: float | None
    memory_bytes: float | None


def tone_of(ratio: float | None) -> str:
    """What a share of something used up means."""
    if ratio is None:
        return "unknown"
    return "bad" if ratio >= FULL_RATIO else "warn" if ratio >= TIGHT else "good"


def charts(name: str) -> list[Chart]:
    """What a host does over time."""
    here = f"instance={quoted(name)}"
    return [
        _cpu(here),
        _memory(here),
        _load(here),
        _filled(here),
        _two("Disk", here, ("node_disk_read_bytes_total", "node_disk_written_bytes_total")),
        _busy_disks(here),
        _two(
            "Network",
            f"{here},{REAL_DEVICES}",
            ("node_network_receive_bytes_total", "node_network_transmit_bytes_total"),
        ),
        _pressure(here),
    ]


def _cpu(here: str) -> Chart:
    per_mode = f'sum by (mode) (rate(node_cpu_seconds_total{{{here},mode!="idle"}}{WINDOW}))'
    share = f'{per_mode} / on () group_left () count(node_cpu_seconds_total{{{here},mode="idle"}})'
    return Chart("CPU", (Query(share, "{{mode}}"),), "stack", "ratio", "of all cores", top=1.0)


def _memory(here: str) -> Chart:
    total, free = (
        f"node_memory_MemTotal_bytes{{{here}}}",
        f"node_memory_MemAvailable_bytes{{{here}}}",
    )
    return Chart(
        "Memory",
        (Query(f"{total} - {free}", "used"), Query(free, "available")),
        "stack",
        "bytes",
    )


def _load(here: str) -> Chart:
    return Chart(
        "Load",
        (
            Query(f"node_load1{{{here}}}", "1 minute"),
            Query(f"node_load15{{{here}}}", "15 minutes"),
            Query(f'count(node_cpu_seconds_total{{{here},mode="idle"}})', "cores"),
        ),
    )


def _filled(here: str) -> Chart:
    used = f"1 - node_filesystem_avail_bytes{{{here}}} / node_filesystem_size_bytes{{{here}}}"
    return Chart(
        "File systems",
        (Query(used, "{{mountpoint}}"),),
        "line",
        "ratio",
        "used",
        FULL,
        top=1.0,
    )


def _two(title: str, here: str, names: tuple[str, str]) -> Chart:
    words = ("read", "written") if title == "Disk" else ("received", "sent")
    queries = tuple(
        Query(f"sum by (device) (rate({name}{{{here}}}{WINDOW}))", f"{{{{device}}}} {word}")
        for name, word in zip(names, words, strict=True)
    )
    return Chart(title, queries, "line", "bytes/s")


def _busy_disks(here: str) -> Chart:
    busy = f"rate(node_disk_io_time_seconds_total{{{here}}}{WINDOW})"
    return Chart(
        "Disk at work", (Query(busy, "{{device}}"),), "line", "ratio", "share of time", top=1.0
    )


def _pressure(here: str) -> Chart:
    """Source: Linux, Pressure Stall Information: the share of time in which work waited."""
    queries = tuple(
        Query(f"rate(node_pressure_{kind}_waiting_seconds_total{{{here}}}{WINDOW})", word)
        for kind, word in (("cpu", "CPU"), ("memory", "memory"), ("io", "disk"))
    )
    return Chart("Pressure", queries, "line", "ratio", "share of time waited")
