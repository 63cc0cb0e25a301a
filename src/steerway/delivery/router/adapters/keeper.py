"""Keeps an Envoy: starts it, watches it, starts it again, replaces it without a gap.

Run as `python -I -S keeper.py RUN`, so: the standard library only. It is what a supervisor
supervises, and Envoy is not its child, for a reason: an Envoy that can be replaced asks the kernel
to be ended together with its parent, and a supervisor that dies must not end the router. Whoever
keeps next finds the Envoy that runs in a small file and watches on.

HUP puts a new Envoy in the place of the one that runs: it takes the listening sockets over, the one
before finishes what it began and leaves. TERM ends both.
"""

import contextlib
import json
import os
import resource
import select
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn, TypedDict

SHORT_LIFE_SECONDS = 2  # ends sooner: the supervisor starts it, and waits longer each time
END_SECONDS = 5
EXIT_SHORT_LIFE = 1
EXIT_PORT_TAKEN = 78  # EX_CONFIG of sysexits.h
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
TICKS = os.sysconf("SC_CLK_TCK")


class Process(TypedDict):
    """A process known beyond its id, which belongs to somebody else after a reboot."""

    pid: int
    started: str
    epoch: int


class Kept(TypedDict):
    """Who keeps, what runs (oldest first), and how often one ended by itself."""

    boot: str
    keeper: int
    ends: int
    routers: list[Process]


class Start(TypedDict):
    """How Envoy is started: the command, and where it will listen."""

    command: list[str]
    address: str
    port: int


def main(run: Path) -> NoReturn:
    """Keep an Envoy until a signal says to end it."""
    wake = _listen()
    kept = read(run)
    kept["keeper"] = os.getpid()
    _write(run, kept)
    while True:
        newest = kept["routers"][-1] if kept["routers"] else None
        if newest is None or not is_alive(newest):
            newest = _start(run, kept)
        for number in _watch(newest["pid"], wake):
            if number == signal.SIGHUP:
                _start(run, kept)
            elif number in SIGNALS:
                end(kept)
                sys.exit(0)
        if not is_alive(newest):
            kept["ends"] += 1
            _write(run, kept)
            if age(newest) < SHORT_LIFE_SECONDS:
                sys.exit(EXIT_SHORT_LIFE)


def read(run: Path) -> Kept:
    """What is kept; nothing when it never was, before this boot, or the note is not one of ours."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    nothing: Kept = {"boot": boot, "keeper": 0, "ends": 0, "routers": []}
    try:
        kept: Kept = json.loads((run / "router.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return nothing
    is_ours = isinstance(kept, dict) and kept.keys() == nothing.keys()
    return kept if is_ours and kept["boot"] == boot else nothing


def is_alive(process: Process) -> bool:
    """Whether this very process runs."""
    return started(process["pid"]) == process["started"]


def age(process: Process) -> float:
    """Seconds since a process began."""
    up = float(Path("/proc/uptime").read_text().split()[0])
    return up - int(process["started"]) / TICKS


def started(pid: int) -> str | None:
    """When a process began, in ticks since boot; None when it is over."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZXx" else fields[19]


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


def end(kept: Kept) -> None:
    """End every Envoy that is kept, and wait until it has; one that does not end is killed."""
    poll = select.poll()
    for one in filter(is_alive, kept["routers"]):
        poll.register(os.pidfd_open(one["pid"]), select.POLLIN)
        _send(one, signal.SIGTERM)
    while alive := [one for one in kept["routers"] if is_alive(one)]:
        ended = poll.poll(END_SECONDS * 1000)
        for descriptor, _ in ended:
            poll.unregister(descriptor)
        for one in [] if ended else alive:
            _send(one, signal.SIGKILL)


def _send(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended in this moment
        os.kill(process["pid"], number)


def _listen() -> int:
    """A descriptor that tells the numbers of the signals that come."""
    wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(waker)
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    return wake


def _watch(pid: int, wake: int) -> bytes:
    """Wait until the process ends or signals came; these."""
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return b""
    try:
        poll.register(process, select.POLLIN)
        poll.poll()
    finally:
        os.close(process)
    try:
        return os.read(wake, 64)
    except BlockingIOError:
        return b""


def _start(run: Path, kept: Kept) -> Process:
    """Start an Envoy: the heir of one that runs, or the first."""
    start: Start = json.loads((run / "router-start.json").read_text())
    kept["routers"] = [one for one in kept["routers"] if is_alive(one)]
    if not kept["routers"] and is_taken(start["address"], start["port"]):
        where = f"Port {start['port']} on {start['address']}"
        sys.stderr.write(f"{where} is taken by another program.\n")
        sys.exit(EXIT_PORT_TAKEN)
    command, epoch = start["command"], 0
    if kept["routers"]:
        epoch = kept["routers"][-1]["epoch"] + 1
        command = [*command, "--restart-epoch", str(epoch), "--skip-hot-restart-on-no-parent"]
    pid, go = _fork(command)
    process = Process(pid=pid, started=started(pid) or "", epoch=epoch)
    kept["routers"].append(process)
    _write(run, kept)
    os.write(go, b"!")
    os.close(go)
    return process


def _fork(command: list[str]) -> tuple[int, int]:
    """A process that is nobody's child and becomes the command when its descriptor is written."""
    told, tell = os.pipe()
    gone, go = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            os.setsid()
            if pid := os.fork():
                os.write(tell, str(pid).encode())
                os._exit(0)
            os.close(go)
            if os.read(gone, 1):  # nothing when the keeper died before it noted this process
                _become(command)
        except OSError as error:
            os.write(2, f"cannot start {command[0]}: {error}\n".encode())
        finally:
            os._exit(1)
    os.waitpid(between, 0)
    pid = int(os.read(told, 20))
    for descriptor in (told, tell, gone):
        os.close(descriptor)
    return pid, go


def _become(command: list[str]) -> NoReturn:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.execv(command[0], command)  # noqa: S606 - no shell


def _write(run: Path, kept: Kept) -> None:
    fresh = run / ".router.json.new"
    fresh.write_text(json.dumps(kept))
    fresh.replace(run / "router.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
