"""A supervisord in a short home of its own, ended with all that it started."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from steerway.delivery.runtimes.adapters import proc
from steerway.delivery.runtimes.adapters.supervisor import Supervisor
from steerway.delivery.runtimes.rules import Process, ProcessState, Program

KEY = bytes(range(32))


class Stage:
    """A supervisord and what tests do with it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.key = home / "key"
        self.supervisor = Supervisor(home / "run", home / "log", self.key)

    def program(self, name: str, *command: str, **fields: Any) -> Program:
        """A program that runs `command`, which ends within a second when asked to."""
        given: dict[str, Any] = {
            "grace": timedelta(seconds=3),
            "log": self.home / f"{name}.out",
        } | fields
        return Program(name=name, command=command, directory=self.home, **given)

    def python(self, name: str, code: str, **fields: Any) -> Program:
        """A program written in Python."""
        return self.program(name, sys.executable, "-I", "-S", "-c", code, **fields)

    def begin(self, program: Program) -> Process:
        """Add and start a program, and wait until it runs."""
        self.supervisor.add(program)
        self.supervisor.start(program.name)
        return self.until(program.name, lambda it: it.state is ProcessState.RUNNING)

    def until(
        self, name: str, condition: Callable[[Process], bool], seconds: float = 15
    ) -> Process:
        """The program once `condition` is true of it."""
        seen: list[Process] = []

        def look() -> bool:
            seen.append(self.supervisor.processes()[name])
            return condition(seen[-1])

        assert proc.wait(look, seconds), seen[-1]
        return seen[-1]

    def until_written(self, program: Program, text: str) -> str:
        """What the program has written, once `text` is in it."""

        def written() -> str:
            return program.log.read_text() if program.log.exists() else ""

        assert proc.wait(lambda: text in written(), 15), written()
        return written()

    def kill_supervisord(self) -> int:
        """kill -9 of supervisord; its pid."""
        pid = self.supervisor.pid()
        os.kill(pid, signal.SIGKILL)
        assert proc.wait(lambda: not is_running(pid), 5)
        return pid

    def end(self) -> None:
        """Leave nothing behind."""
        self.supervisor.ensure()
        for name in self.supervisor.processes():
            self.supervisor.remove(name)
        self.supervisor.shutdown()


def is_running(pid: int) -> bool:
    """Whether the process lives."""
    found = proc.stat(pid)
    return found is not None and found.state != "Z"


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A running supervisord."""
    home = Path(tempfile.mkdtemp(prefix="sw"))
    stage = Stage(home)
    stage.key.write_bytes(KEY)
    stage.supervisor.ensure()
    try:
        yield stage
    finally:
        stage.end()
        shutil.rmtree(home)
