"""Processes and ports of an installation, as the kernel shows them."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

LISTEN = "0A"


def of(home: Path) -> dict[int, str]:
    """Every process that bears the home directory in its command, environment or place.

    The command of each, by pid. Never the caller.
    """
    mark = str(home).encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes()
                place = bytes((entry / "cwd").readlink())
                if mark in command + (entry / "environ").read_bytes() + place:
                    found[int(entry.name)] = command.replace(b"\0", b" ").decode()
    return {pid: command for pid, command in found.items() if is_alive(pid)}


def is_alive(pid: int) -> bool:
    """Whether it runs; one that waits to be collected does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZXx"


def listening(ports: Iterable[int]) -> list[int]:
    """Which of these ports somebody listens on."""
    wanted, found = set(ports), set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        port = int(fields[1].rpartition(":")[2], 16)
        if fields[3] == LISTEN and port in wanted:
            found.add(port)
    return sorted(found)


def memory(pid: int) -> dict[str, float]:
    """Resident memory. Units: MB; `pss` counts what is shared by its share."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    values = {line.split(":")[0].lower(): int(line.split()[1]) / 1000 for line in lines}
    return {"rss": values["rss"], "pss": values["pss"]}
