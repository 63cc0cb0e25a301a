"""Which process listens on which port, as /proc tells."""

import contextlib
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from steerway.delivery.runtimes.adapters import proc

_ESTABLISHED = "01"
_LISTEN = "0A"
_TABLES = ("tcp", "tcp6")


def listeners(table: str) -> dict[int, int]:
    """By socket inode, the port, of the listening lines of /proc/net/tcp or tcp6."""
    found = {}
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTEN:
            found[int(fields[9])] = int(fields[1].rpartition(":")[2], 16)
    return found


def listening_ports() -> frozenset[int]:
    """Every TCP port of this host that somebody listens on."""
    return frozenset(_listening().values())


def connections(ports: Collection[int]) -> int:
    """How many clients are connected to these ports of this host."""
    count = 0
    for name in _TABLES:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
                fields = line.split()
                port = int(fields[1].rpartition(":")[2], 16)
                count += fields[3] == _ESTABLISHED and port in ports
    return count


def who_listens(port: int) -> int | None:
    """The process that listens on `port`; None when there is none, or it is another user's."""
    inodes = {inode for inode, found in _listening().items() if found == port}
    if not inodes:
        return None
    return next((pid for pid in _pids() if inodes & _sockets(pid)), None)


def ports_of(pids: Iterable[int]) -> list[int]:
    """The ports that these processes listen on."""
    known = _listening()
    return sorted({known[inode] for pid in pids for inode in _sockets(pid) if inode in known})


def describe(pid: int) -> str:
    """The program of a process, for people, without arguments, which may hold anything."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "a process that has just ended"


def why_not_listening(port: int, record: proc.Record) -> str:
    """One sentence about a program whose port does not answer."""
    owner = who_listens(port)
    ours = [record.pid, *(one.pid for one in proc.members(record))]
    if owner in ours:
        return f"it listens on {port} but does not answer as it should"
    if owner is not None:
        return f"port {port} is taken by {describe(owner)} (process {owner})"
    if port in listening_ports():
        return f"port {port} is taken by a process of another user"
    others = ports_of(ours)
    if others:
        ports = " and ".join(map(str, others))
        return (
            f"nothing listens on {port}; the process listens on {ports} instead: does it read PORT?"
        )
    return f"nothing listens on {port} yet"


def _listening() -> dict[int, int]:
    found: dict[int, int] = {}
    for name in _TABLES:
        with contextlib.suppress(OSError):
            found.update(listeners(Path(f"/proc/net/{name}").read_text()))
    return found


def _pids() -> Iterable[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def _sockets(pid: int) -> set[int]:
    found = set()
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                status = descriptor.stat()
                if stat.S_ISSOCK(status.st_mode):
                    found.add(status.st_ino)
    return found
