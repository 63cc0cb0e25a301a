"""Starts the kit's programs as real processes and talks to them."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KIT = Path(__file__).resolve().parents[2] / "examples" / "shop"
READY_SECONDS = 10.0  # a busy machine starts a Python process in two
CLEAN = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def free_port() -> int:
    """A port that nobody has right now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def listens(port: int) -> bool:
    """Whether someone takes connections on a port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for a condition."""
    end = time.monotonic() + READY_SECONDS
    while not true():
        assert time.monotonic() < end, f"waited too long until {what}"
        time.sleep(0.01)


@dataclass
class Answer:
    """A response, whole."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.text)


def ask(port: int, path: str, *, method: str = "GET", body: object = None, key: str = "") -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
    headers = {"Idempotency-Key": key} if key else {}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, text)


@dataclass
class Program:
    """A process that was started, and the file its output goes to."""

    process: subprocess.Popen[bytes]
    output: Path
    port: int = 0

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.output.read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it has said so far, as JSON lines."""
        return [json.loads(line) for line in self.text.splitlines()]

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(READY_SECONDS)


@dataclass
class Stage:
    """A place for programs, which all end with the test."""

    directory: Path
    versions: Path
    programs: list[Program] = field(default_factory=list)

    def run(self, arguments: list[str], cwd: Path, **environment: str) -> Program:
        """Start a Python program."""
        output = self.directory / f"output-{len(self.programs)}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-B", *arguments],
                cwd=cwd,
                env=CLEAN | environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        program = Program(process, output)
        self.programs.append(program)
        return program

    def shop(self, version: str, **environment: str) -> Program:
        """Start a version of the shop on the stage's one database, and wait until it listens."""
        port = free_port()
        data = {"STEERWAY_DATA_DIR": str(self.directory / "data"), "PORT": str(port)}
        program = self.run(["-m", "shop"], self.versions / version, **data | environment)
        program.port = port
        until(lambda: listens(port), f"{version} serves")
        return program

    def tool(self, name: str, *arguments: str) -> tuple[Program, dict[str, str]]:
        """Start one of the kit's own servers; with what its first line says."""
        program = self.run([f"{name}.py", *arguments], KIT)
        until(lambda: "\n" in program.text, f"{name} says where it is: {program.text}")
        return program, json.loads(program.text.splitlines()[0])

    def visit(self, port: int, *arguments: str) -> dict[str, Any]:
        """Run loadgen to its end against a port; its report."""
        report = self.directory / "report.json"
        url = f"http://127.0.0.1:{port}"
        visitors = self.run(
            ["loadgen.py", "--url", url, "--seed", "7", "--report", str(report), *arguments], KIT
        )
        assert visitors.process.wait(60) == 0, visitors.text
        result: dict[str, Any] = json.loads(report.read_text())
        return result

    def clear(self) -> None:
        """End what still runs."""
        for program in self.programs:
            program.process.kill()
            program.process.wait()
