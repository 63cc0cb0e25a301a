"""Runs one command of a build: streamed to a log, stopped by time, size or a person."""

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

from steerway.delivery.builds import errors
from steerway.platform import clock

LOOK_SECONDS: Final = 0.2  # how often a quiet command is looked at
GUARD_SECONDS: Final = 0.5  # how often its files are counted
GRACE_SECONDS: Final = 2.0  # between asking a command to end and ending it
DYING_SECONDS: Final = 0.02  # what a killed process takes to be gone
LOOKS_MAX: Final = 100
LINE_BYTES_MAX: Final = 4000  # a longer line is broken: progress bars may never end one
READ_BYTES: Final = 65536
TAIL_LINES: Final = 20


@dataclass(slots=True)
class Log:
    """The log of one build: a moment before each line, and a limit."""

    path: Path
    bytes_max: int
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    written: int = 0
    _rest: bytes = b""

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(b"")

    def feed(self, chunk: bytes) -> None:
        """Take output as it comes; whole lines are written."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        while len(self._rest) > LINE_BYTES_MAX:
            lines.append(self._rest[:LINE_BYTES_MAX])
            self._rest = self._rest[LINE_BYTES_MAX:]
        self._write(lines)

    def end(self) -> None:
        """Write the last line even when nothing ended it."""
        if self._rest:
            self._write([self._rest])
        self._rest = b""

    def say(self, text: str) -> None:
        """Write a line of our own."""
        self._write([text.encode()])

    def _write(self, lines: Sequence[bytes]) -> None:
        moment = clock.now().isoformat(timespec="milliseconds")
        stamp = moment.replace("+00:00", "Z").encode()
        self.tail.extend(line.decode(errors="replace").rstrip("\r") for line in lines)
        if not lines or self.written > self.bytes_max:
            return
        text = b"".join(stamp + b" " + line.rstrip(b"\r") + b"\n" for line in lines)
        self.written += len(text)
        if self.written > self.bytes_max:
            kept = self.bytes_max - (self.written - len(text))
            text = text[:kept] + b"\n" + stamp + b" The log is full; the rest is not kept.\n"
        with self.path.open("ab") as handle:
            handle.write(text)


@dataclass(frozen=True, slots=True)
class Guard:
    """What may stop a build while it runs. Each is called often and stops it by raising."""

    deadline: float  # of time.monotonic
    timeout: float
    cancelled: Callable[[], bool]
    watch: Callable[[], None]

    def check(self, command: str) -> None:
        """Go on, or raise.

        Raises:
            StepFailed: the time is over.
            Stopped: it was cancelled.
        """
        if self.cancelled():
            raise errors.Stopped(command=command)
        if time.monotonic() > self.deadline:
            reason = f"did not end within {self.timeout:g} s, the build's timeout"
            raise errors.StepFailed(command=command, reason=reason)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs the commands of one build."""

    directory: Path
    environment: Mapping[str, str]
    log: Log
    guard: Guard

    def run(self, *command: str, shown: str = "") -> None:
        """Run a command to its end.

        Raises:
            StepFailed: it ended with an error, or its time is over.
            Stopped: it was cancelled.
        """
        shown = shown or " ".join((Path(command[0]).name, *command[1:]))
        self.log.say(f"$ {shown}")
        with _started(command, self.directory, self.environment, shown) as process:
            self._follow(process, f"`{shown}`")
            code = process.wait()
        if code:
            ending = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise errors.StepFailed(command=f"`{shown}`", reason=ending)

    def attempt(self, *command: str, shown: str) -> None:
        """Run a command whose failure changes nothing, with all limits."""
        with suppress(errors.StepFailed):
            self.run(*command, shown=shown)
        self.guard.check(f"`{shown}`")

    def _follow(self, process: subprocess.Popen[bytes], shown: str) -> None:
        output = cast("BinaryIO", process.stdout).fileno()
        os.set_blocking(output, False)
        checked_at = counted_at = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while process.poll() is None:
                if not self._copy(selector, output):
                    time.sleep(LOOK_SECONDS)  # it has closed its output and goes on
                now = time.monotonic()
                if now - checked_at >= LOOK_SECONDS:  # it may ask a database
                    self.guard.check(shown)
                    checked_at = now
                if now - counted_at >= GUARD_SECONDS:
                    self.guard.watch()
                    counted_at = now
        # What the command itself wrote before it ended; a program it left behind may go on.
        self.log.feed(_available(output))
        self.log.end()

    def _copy(self, selector: selectors.BaseSelector, output: int) -> bool:
        """Move output into the log; false at its end."""
        if not selector.select(LOOK_SECONDS):
            return True
        try:
            chunk = os.read(output, READ_BYTES)
        except BlockingIOError:
            return True
        self.log.feed(chunk)
        return bool(chunk)


@contextmanager
def _started(
    command: Sequence[str], directory: Path, environment: Mapping[str, str], shown: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A command in a session of its own, which is gone at the end."""
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        reason = f"cannot run: {Path(command[0]).name} is not installed on this machine"
        raise errors.StepFailed(command=f"`{shown}`", reason=reason) from error
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a command and the rest of its session: first asked, then made to."""
    if process.poll() is None:
        _signal(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    _signal(process.pid, signal.SIGKILL)
    process.wait()
    cast("BinaryIO", process.stdout).close()


def end_marked(mark: str) -> int:
    """End every process whose environment has the line `mark`; how many there were.

    A program that left its session or whose server was killed is found by what it was born with.
    """
    seen: set[int] = set()
    for _ in range(LOOKS_MAX):
        found = list(_marked(mark.encode()))
        if not found:
            break
        seen.update(found)
        for process in found:
            _kill(process)
        time.sleep(DYING_SECONDS)  # and look again: it may have begun another meanwhile
    return len(seen)


def _marked(mark: bytes) -> Iterator[int]:
    for place in Path("/proc").glob("[0-9]*"):
        try:
            environment = (place / "environ").read_bytes()
        except OSError:  # it has ended, or is somebody else's
            continue
        if mark in environment.split(b"\0"):
            yield int(place.name)


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _available(output: int) -> bytes:
    found = b""
    while len(found) < READ_BYTES * 16:
        try:
            chunk = os.read(output, READ_BYTES)
        except BlockingIOError:
            return found
        if not chunk:
            return found
        found += chunk
    return found
