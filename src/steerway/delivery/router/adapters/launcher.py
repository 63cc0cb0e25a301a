"""Becomes Envoy: the heir of the one that runs, or the first when none does.

A plain file for `python -I -S`, so that a crashed router is back before a package is imported.
It replaces itself, so that its process is Envoy's. What runs is kept in a small file beside the
sockets. An heir takes the listening sockets over, and the one before drains: nothing is dropped.

    launcher.py STATE NAME ADDRESS PORT ENVOY ARGUMENT...
"""

import fcntl
import json
import os
import resource
import socket
import sys
from pathlib import Path
from typing import Any, Final

# The one before is under another name when a new release takes over: its supervisor would start
# it again if it left by itself, so it stays until somebody stops it.
STAYS_SECONDS: Final = 86_400
# Under the same name it lost its supervisor, and nobody else will end it.
LEAVES_SECONDS: Final = 20
EXIT_PORT_TAKEN: Final = 78  # EX_CONFIG of sysexits.h


def main(arguments: list[str]) -> None:
    """Start Envoy with the epoch that fits what runs."""
    state, name, address, port, *command = arguments
    with Path(f"{state}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = alive(Path(state))
        if not running and is_taken(address, int(port)):
            sys.stderr.write(f"Port {port} on {address} is taken by another program.\n")
            sys.exit(EXIT_PORT_TAKEN)
        epoch = running[-1]["epoch"] + 1 if running else 0
        own = {"name": name, "pid": os.getpid(), "started": started(os.getpid()), "epoch": epoch}
        _write(Path(state), [*running, own])
    is_orphan = bool(running) and running[-1]["name"] == name
    stays = LEAVES_SECONDS if is_orphan else STAYS_SECONDS
    _raise_file_limit()
    epochs = ["--restart-epoch", str(epoch), "--parent-shutdown-time-s", str(stays)]
    os.execv(command[0], [*command, *epochs])  # noqa: S606 - it must keep this process id


def alive(state: Path) -> list[dict[str, Any]]:
    """The routers that run, oldest first. Each is name, pid, start and epoch."""
    try:
        known = json.loads(state.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return []
    return [one for one in known if started(one["pid"]) == one["started"]]


def started(pid: int) -> str | None:
    """When a process began, in ticks since boot; None when it is over.

    A process id alone is not enough: after a reboot it belongs to somebody else.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def is_taken(address: str, port: int) -> bool:
    """Whether somebody listens there. Envoy itself would share the port and not notice."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return True
    return False


def _write(state: Path, running: list[dict[str, Any]]) -> None:
    fresh = state.with_suffix(".new")
    fresh.write_text(json.dumps(running))
    fresh.replace(state)


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main(sys.argv[1:])
