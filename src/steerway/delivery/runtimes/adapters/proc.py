"""Processes as /proc shows them: which still run, which belong together, how to end them.

The shim uses it too, so: the standard library only, and only what is quick to import.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

# Given to every process of a run and inherited by its children, so that they are found again.
MARK = "_STEERWAY_RUN"
KILL_SECONDS = 5.0  # SIGKILL acts within milliseconds unless the kernel waits for a disk
_LOOK_SECONDS = 0.02
_DEAD = ("Z", "X", "x")


class Stat(NamedTuple):
    """One line of /proc/PID/stat. Units: `started` in clock ticks since boot."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    started: int


class Record(NamedTuple):
    """One start of a program: enough to know it again, whoever asks.

    Units: `started` in clock ticks since boot, `started_at` in seconds since 1970.
    """

    pid: int
    started: int
    boot: str
    session: int
    mark: str
    started_at: float
    cgroups: list[str]
    enforced: dict[str, str]
    watcher: int | None = None


def boot() -> str:
    """The id of this boot: pids and clock ticks of another one mean nothing."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def parse_stat(text: str) -> Stat:
    """The line of /proc/PID/stat; a name may hold spaces and brackets."""
    head, _, tail = text.rpartition(")")
    rest = tail.split()
    pid = int(head.partition(" ")[0])
    return Stat(pid, rest[0], int(rest[1]), int(rest[2]), int(rest[3]), int(rest[19]))


def stat(pid: int) -> Stat | None:
    """The process `pid`, or None when there is none."""
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return None


def is_alive(record: Record) -> bool:
    """Whether the very process that was recorded still runs, not another with its pid."""
    found = stat(record.pid)
    return (
        found is not None
        and found.started == record.started
        and found.state not in _DEAD
        and record.boot == boot()
    )


def members(record: Record) -> list[Stat]:
    """Living processes of this run: its cgroups, its process group, and whoever bears its mark.

    Never the caller itself. A process that left the group and wiped its environment is found
    only where cgroups are writable.
    """
    if record.boot != boot():
        return []
    inside = {pid for path in record.cgroups for pid in _cgroup_pids(path)}
    leader = stat(record.pid)
    is_group_ours = leader is None or leader.started == record.started
    found = []
    for one in _processes():
        in_group = (one.group, one.session) == (record.pid, record.session) and is_group_ours
        is_ours = in_group or one.pid in inside or _bears(one, record)
        if is_ours and one.pid != os.getpid() and one.state not in _DEAD:
            found.append(one)
    return found


def send(pids: Iterable[int], number: int) -> None:
    """Signal each process that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def kill_all(record: Record, seconds: float = KILL_SECONDS) -> list[int]:
    """Kill every process of a run, also those that are born meanwhile; the pids that stay."""

    def killed() -> bool:
        left = [one.pid for one in members(record)]
        send(left, signal.SIGKILL)
        return not left

    return [] if wait(killed, seconds) else [one.pid for one in members(record)]


def wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _processes() -> Iterable[Stat]:
    for name in os.listdir("/proc"):  # noqa: PTH208 -- three times as fast as iterdir
        if name.isdecimal() and (found := stat(int(name))) is not None:
            yield found


def _cgroup_pids(path: str) -> list[int]:
    try:
        return [int(line) for line in Path(path, "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _bears(one: Stat, record: Record) -> bool:
    """Whether the process was born after the run began, with the run's mark."""
    if one.started < record.started:
        return False
    try:
        environment = Path(f"/proc/{one.pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{MARK}={record.mark}".encode() in environment.split(b"\0")
