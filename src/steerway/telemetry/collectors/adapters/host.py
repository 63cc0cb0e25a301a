"""This host, in the names of node_exporter."""

import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from steerway.telemetry.scraping.rules.batch import Point

PROC: Final = Path("/proc")
MODES: Final = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
MEMORY: Final = frozenset(
    ("MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "Dirty", "Slab", "Shmem")
) | {"SwapTotal", "SwapFree", "Committed_AS", "AnonPages"}
SECTOR: Final = 512
FILE_SYSTEMS_MAX: Final = 50
DEVICES_MAX: Final = 100
# What lies on another machine can keep whoever asks waiting for as long as that one likes.
DISTANT: Final = ("nfs", "cifs", "smb", "fuse", "9p", "afs", "ceph", "gluster")
PRESSURES: Final = {
    ("cpu", "some"): "node_pressure_cpu_waiting_seconds_total",
    ("memory", "some"): "node_pressure_memory_waiting_seconds_total",
    ("memory", "full"): "node_pressure_memory_stalled_seconds_total",
    ("io", "some"): "node_pressure_io_waiting_seconds_total",
    ("io", "full"): "node_pressure_io_stalled_seconds_total",
}
TOTAL: Final = re.compile(r"^(some|full) .*\btotal=(\d+)$", re.M)
WHOLE_DISK: Final = re.compile(r"(loop|ram|zram)\d+|(sd|vd|xvd|hd)[a-z]+\d+|nvme\d+n\d+p\d+")


def name() -> str:
    """What this host is called."""
    return socket.gethostname()


def points(home: Path) -> Iterator[Point]:
    """Everything that is measured of this host; `home` is a directory whose disk matters."""
    yield from _processors()
    yield from _memory()
    yield from _disks()
    yield from _file_systems(home)
    yield from _network()
    yield from _pressure()
    for number, load in zip((1, 5, 15), os.getloadavg(), strict=True):
        yield Point(f"node_load{number}", {}, load)
    yield Point("node_boot_time_seconds", {}, psutil.boot_time())
    yield Point("node_time_seconds", {}, time.time())
    found = os.uname()
    labels = {"nodename": found.nodename, "release": found.release, "machine": found.machine}
    yield Point("node_uname_info", {"sysname": found.sysname, **labels}, 1)


def _processors() -> Iterator[Point]:
    for number, times in enumerate(psutil.cpu_times(percpu=True)):
        for mode in MODES:
            if (seconds := getattr(times, mode, None)) is not None:
                yield Point("node_cpu_seconds_total", {"cpu": str(number), "mode": mode}, seconds)
    stats = psutil.cpu_stats()
    yield Point("node_context_switches_total", {}, stats.ctx_switches)


def _memory() -> Iterator[Point]:
    for line in (PROC / "meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in MEMORY:
            yield Point(f"node_memory_{name}_bytes", {}, int(rest.split()[0]) * 1024)


def _disks() -> Iterator[Point]:
    disks = psutil.disk_io_counters(perdisk=True, nowrap=False)
    whole = [name for name in sorted(disks) if not WHOLE_DISK.fullmatch(name)]
    for device in whole[:DEVICES_MAX]:
        one, labels = disks[device], {"device": device}
        yield Point("node_disk_read_bytes_total", labels, one.read_bytes)
        yield Point("node_disk_written_bytes_total", labels, one.write_bytes)
        yield Point("node_disk_reads_completed_total", labels, one.read_count)
        yield Point("node_disk_writes_completed_total", labels, one.write_count)
        busy = getattr(one, "busy_time", 0)
        yield Point("node_disk_io_time_seconds_total", labels, busy / 1000)


def _file_systems(home: Path) -> Iterator[Point]:
    seen: set[int] = set()
    mounts = [one for one in psutil.disk_partitions() if not one.fstype.startswith(DISTANT)]
    places = [(one.mountpoint, one.device, one.fstype) for one in mounts[:FILE_SYSTEMS_MAX]]
    # In a container the root is on no device of its own, and still it fills up.
    for mountpoint, device, fstype in [*places, ("/", "root", ""), (str(home), "home", "")]:
        try:
            number, found = os.stat(mountpoint).st_dev, os.statvfs(mountpoint)  # noqa: PTH116
        except OSError:
            continue  # it was there a moment ago, or is not ours to see
        if number in seen or not found.f_blocks:
            continue
        seen.add(number)
        labels = {"mountpoint": mountpoint, "device": device, "fstype": fstype}
        yield Point("node_filesystem_size_bytes", labels, found.f_blocks * found.f_frsize)
        yield Point("node_filesystem_avail_bytes", labels, found.f_bavail * found.f_frsize)
        yield Point("node_filesystem_free_bytes", labels, found.f_bfree * found.f_frsize)
        yield Point("node_filesystem_files", labels, found.f_files)
        yield Point("node_filesystem_files_free", labels, found.f_ffree)


def _network() -> Iterator[Point]:
    found = psutil.net_io_counters(pernic=True, nowrap=False)
    for device in sorted(found)[:DEVICES_MAX]:
        one, labels = found[device], {"device": device}
        yield Point("node_network_receive_bytes_total", labels, one.bytes_recv)
        yield Point("node_network_transmit_bytes_total", labels, one.bytes_sent)
        yield Point("node_network_receive_errs_total", labels, one.errin)
        yield Point("node_network_transmit_errs_total", labels, one.errout)
        yield Point("node_network_receive_drop_total", labels, one.dropin)
        yield Point("node_network_transmit_drop_total", labels, one.dropout)


def _pressure() -> Iterator[Point]:
    """Time lost to waiting, where the kernel counts it."""
    for resource in ("cpu", "memory", "io"):
        try:
            text = (PROC / "pressure" / resource).read_text()
        except OSError:
            continue
        for kind, total in TOTAL.findall(text):
            if metric := PRESSURES.get((resource, kind)):
                yield Point(metric, {}, int(total) / 1_000_000)
