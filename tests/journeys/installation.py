"""One Steerway of its own: started, spoken to as a user would, hurt, and removed whole."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from steerway.platform.client import Client, Problem, ServerDown
from tests.homes import remove
from tests.journeys import processes

CHECKOUT: Final = Path(__file__).resolve().parents[2]
STEERWAY: Final = (sys.executable, "-m", "steerway.app")
PATIENCE_SECONDS: Final = 40.0  # two cores, shared with the rest of the suite
LOOK_SECONDS: Final = 0.02
# Below what the kernel gives to outgoing connections, so that nobody takes a port by chance.
BLOCKS: Final = range(20_000, 32_000, 100)
SECRET: Final = "hemlig-1b6e0f7a4c"  # a value to look for everywhere it must not be
T = TypeVar("T")


def until(true: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """The first value that counts as true."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"waited {seconds:g} s until {what}"
        time.sleep(LOOK_SECONDS)
    return found


@dataclass(frozen=True)
class Done:
    """What a command printed, and how it left."""

    code: int
    stdout: str
    stderr: str

    def __iter__(self) -> Iterator[Any]:
        """`code, stdout, stderr`."""
        return iter((self.code, self.stdout, self.stderr))


@dataclass
class Installation:
    """A home directory, a block of ports, and whatever runs there."""

    shop: Path
    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="sw")))
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.claim, block = claim_block()
        self.port, self.router_port = block + 1, block + 2
        self.replica_ports = range(block + 10, block + 99)
        self.environment = {
            **{n: v for n, v in os.environ.items() if not n.startswith("STEERWAY_")},
            "STEERWAY_HOME": str(self.home),
            "STEERWAY_PORT": str(self.port),
            "STEERWAY_ROUTER_PORT": str(self.router_port),
            "STEERWAY_REPLICA_PORTS": f"{self.replica_ports[0]}-{self.replica_ports[-1]}",
            **self.extra,
        }
        self.client = Client(str(self.home / "run" / "server.sock"))

    # As a user.

    def steerway(self, *words: str, says: str = "", **environment: str) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [*STEERWAY, *words],
            env=self.environment | environment,
            input=says,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self.home,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, says: str = "") -> str:
        """What a command prints that must succeed."""
        code, stdout, stderr = self.steerway(*words, says=says)
        assert code == 0, f"steerway {' '.join(words)} left with {code}: {stdout}{stderr}"
        return str(stdout)

    def start(self) -> None:
        """Start, with the shop declared and its secret set."""
        self.ok("up")
        self.ok("secret", "set", "payment-key", "--service", "shop", says=SECRET)
        self.ok("apply", "--file", str(self.shop / "steerway.yaml"))

    def apply(self, name: str = "shop", **sections: Any) -> str:
        """Apply the shop's descriptor with other values, perhaps as another service."""
        descriptor = yaml.safe_load((self.shop / "steerway.yaml").read_text())
        merged = merge(descriptor, {"service": name, **sections})
        merged["source"]["repository"] = str(self.shop)
        merged["run"]["directories"] = {"data": "0700"}  # YAML took it for a number
        file = self.home / "descriptors" / name / "steerway.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(merged, sort_keys=False))
        return self.ok("apply", "--file", str(file))

    def deploy(self, ref: str, *words: str, service: str = "shop") -> dict[str, Any]:
        """Deploy, which must succeed; the deployment."""
        text = self.ok("deploy", service, "--ref", ref, "--json", *words)
        found: dict[str, Any] = json.loads(text)
        return found

    def begin(self, ref: str, *words: str, service: str = "shop") -> str:
        """Begin to deploy; the deployment's ref."""
        return str(self.deploy(ref, "--no-wait", *words, service=service)["ref"])

    def deployment(self, ref: str) -> dict[str, Any]:
        """A deployment as the API gives it."""
        found: dict[str, Any] = self.client.get(f"/api/deployments/{ref}")
        return found

    def ended(self, ref: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """A deployment, once it has ended; the server may be away meanwhile."""

        def look() -> dict[str, Any] | None:
            try:
                found = self.deployment(ref)
            except ServerDown:
                return None
            return None if found["state"] == "running" else found

        return until(look, f"{ref} has ended", seconds)

    def answers(self) -> bool:
        """Whether the server answers and its worker is at work."""
        try:
            return bool(self.client.get("/api/ready")["ready"])
        except (ServerDown, Problem):
            return False

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """Every entry of the log after a number, oldest first."""
        lines = self.client.lines("/api/log/export")
        found = [json.loads(line) for line in lines if line]
        return [one for one in found if int(one["sequence"]) > after]

    def types(self, after: int = 0) -> list[str]:
        """The types of entries, oldest first."""
        return [kind_of(event) for event in self.events(after)]

    def last_seq(self) -> int:
        """The number of the newest entry."""
        newest = self.client.get("/api/log?rows=1")
        return int(newest[0]["seq"]) if newest else 0

    def shop_version(self, host: str = "shop.localhost") -> str:
        """The version that answers through the router; `none` when none does."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.router_port}/version", headers={"Host": host}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return str(answer.headers["x-shop-version"])
        except (OSError, urllib.error.URLError):
            return "none"

    # As somebody who looks behind.

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the records, read beside the server."""
        with sqlite3.connect(f"file:{self.home}/records.db?mode=ro", uri=True) as records:
            found = records.execute(statement, values).fetchall()
        records.close()
        return found

    def replicas(self) -> list[str]:
        """Programs of replicas that are not retired."""
        rows = self.rows("SELECT program FROM replica WHERE retired_at IS NULL ORDER BY program")
        return [str(row[0]) for row in rows]

    def programs(self) -> list[str]:
        """Programs that supervisord is to run."""
        return sorted(file.stem for file in (self.home / "run" / "conf.d").glob("*.ini"))

    def pid(self, program: str) -> int:
        """The process of a program; supervisord and the router, which have no record, as well."""
        run = self.home / "run"
        if program == "supervisord":
            return int((run / "supervisord.pid").read_text())
        if program == "envoy":
            return int(json.loads((run / "router.json").read_text())["routers"][-1]["pid"])
        return int(json.loads((run / "pids" / f"{program}.json").read_text())["pid"])

    def pids(self, *programs: str) -> dict[str, int]:
        """Processes by program."""
        return {program: self.pid(program) for program in programs}

    def kill(self, program: str) -> int:
        """End a program's process as hard as it goes; what its pid was."""
        pid = self.pid(program)
        os.kill(pid, signal.SIGKILL)
        return pid

    def reborn(self, program: str, before: int) -> int:
        """The process that took the place of another."""

        def look() -> int:
            try:
                pid = self.pid(program)
            except (OSError, ValueError, LookupError):
                return 0
            return pid if pid != before and processes.is_alive(pid) else 0

        return until(look, f"{program} runs again")

    def traces(self) -> dict[str, Any]:
        """What a failed deployment must leave as it was."""
        run = self.home / "run"
        return {
            "replicas": self.replicas(),
            "programs": self.programs(),
            "specs": sorted(file.name for file in (run / "specs").iterdir()),
            "builds": sorted(p.name for p in (self.home / "builds").glob("*") if p.is_dir()),
            "routes": (run / "xds" / "routes.json").read_bytes(),
            "clusters": (run / "xds" / "clusters.json").read_bytes(),
            "processes": sorted(processes.of(self.home)),
        }

    def close(self) -> None:
        """Stop everything, and see that nothing of it is left."""
        self.steerway("down")
        left = processes.of(self.home)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        sockets = [path.name for path in (self.home / "run").glob("*") if path.is_socket()]
        open_ports = processes.listening(range(self.port, self.replica_ports[-1] + 1))
        self.claim.close()
        log = self.home / "log" / "server.log"
        _, failed, trace = log.read_text().partition("Traceback") if log.exists() else ("", "", "")
        remove(self.home)
        assert not failed, f"the server failed: {trace[:6000]}"
        assert not left, f"still running: {left}"
        assert not sockets, f"sockets left: {sockets}"
        assert not open_ports, f"ports left open: {open_ports}"


def claim_block() -> tuple[socket.socket, int]:
    """A hundred ports for one installation; the last is held, so that nobody else takes them."""
    for block in BLOCKS:
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", block + 99))
        except OSError:
            claim.close()
            continue
        claim.listen(1)
        if not processes.listening(range(block, block + 99)):
            return claim, block
        claim.close()
    raise AssertionError("no block of ports is free")


def kind_of(event: dict[str, Any]) -> str:
    """The type of an entry, without the prefix of CloudEvents."""
    return str(event["type"]).removeprefix("dev.steerway.")


def merge(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Both mappings; the right one wins."""
    merged = dict(left)
    for key, value in right.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged
