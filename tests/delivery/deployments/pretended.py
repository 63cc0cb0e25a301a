"""A ground to deploy on that is quick to hurt: programs answer, nothing outside is started."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

from steerway.app import descriptor
from steerway.app.descriptor_declared import declared
from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Step
from steerway.delivery.deployments.workflows import steps
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.releases import actions as releases
from steerway.delivery.releases.models import Release
from steerway.delivery.releases.rules import File, Manifest, Origin, Sealed
from steerway.delivery.router.errors import RouterDown
from steerway.delivery.router.rules import Ack, Table
from steerway.delivery.runtimes.errors import StillRunning
from steerway.delivery.runtimes.rules import Process, ProcessState, Program
from steerway.planning.catalog import actions as catalog
from steerway.platform.work import Work
from tests.journeys.installation import claim_block

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
DESCRIPTOR = """steerway: 1
service: {service}
run:
  command: python -m {service}
  replicas: {replicas}
  health: {{timeout: 1s}}
release: {{strategy: {strategy}, drain: 0s}}
environments:
  - name: production
"""


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class Programs:
    """What stands for supervisord: a program that is started answers on its port."""

    def __init__(self) -> None:
        self.known: dict[str, Program] = {}
        self.up: dict[str, ThreadingHTTPServer] = {}
        self.undying: set[str] = set()
        self.started: list[str] = []

    def ensure(self) -> bool:
        return False

    def add(self, program: Program) -> bool:
        is_new = self.known.get(program.name) != program
        self.known[program.name] = program
        return is_new

    def start(self, name: str) -> None:
        if name not in self.up:
            self.started.append(name)
            server = ThreadingHTTPServer(("127.0.0.1", self.known[name].port or 0), _Healthy)
            self.up[name] = server
            Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self, name: str) -> None:
        if name in self.undying:
            raise StillRunning(name=name, pids="1", seconds=5)
        if server := self.up.pop(name, None):
            server.shutdown()
            server.server_close()

    def remove(self, name: str) -> None:
        self.stop(name)
        self.known.pop(name, None)

    def processes(self) -> dict[str, Process]:
        return {
            name: Process(
                name=name,
                state=ProcessState.RUNNING if name in self.up else ProcessState.STOPPED,
                started_at=LONG_AGO if name in self.up else None,
                pid=1 if name in self.up else None,
            )
            for name in self.known
        }

    def rotate(self) -> list[str]:
        return []

    def tail(self, name: str, size: int) -> str:
        return ""

    def why_not_listening(self, name: str, port: int) -> str:
        return f"nothing listens on {port}"

    def close(self) -> None:
        self.undying.clear()
        for name in list(self.up):
            self.stop(name)


class Router:
    """What stands for Envoy: it serves the table it was given last, unless it is down."""

    def __init__(self) -> None:
        self.is_down = False
        self.table = Table()
        self.asked = 0
        self.active: Callable[..., int] = lambda *_clusters: 0

    def ready(self) -> bool:
        return True

    def active_requests(self, *clusters: str) -> int:
        return self.active(*clusters)

    def apply(self, table: Table, **_: object) -> Ack:
        self.asked += 1
        if self.is_down:
            raise RouterDown(reason="it was killed", log="router.log")
        self.table = table
        return Ack("", "", changed=True)

    def traffic(self) -> dict[str, int]:
        """Percent of the traffic by version, of the one host that there is."""
        return {share.cluster: share.percent for host in self.table.hosts for share in host.shares}


class Files:
    """What stands for the store of releases: every release is there."""

    def path(self, digest: str) -> Path:
        return Path("/nowhere")

    def manifest(self, digest: str) -> Manifest:
        return Manifest("command", "", ())


@dataclass
class Stand:
    """A ground, its parts, and the ways to play on it."""

    home: Path
    work: Callable[[], Work]
    ports: range
    programs: Programs = field(default_factory=Programs)
    router: Router = field(default_factory=Router)

    @property
    def ground(self) -> Ground:
        """The ground, with nobody who builds."""
        parts = cast("Any", self)
        return Ground(
            home=self.home,
            replica_ports=(self.ports[0], self.ports[-1]),
            git=cast("Any", None),
            builder=cast("Any", None),
            store=cast("Any", Files()),
            supervisor=parts.programs,
            envoy=parts.router,
            work=self.work,
        )

    def declare(
        self, service: str = "shop", strategy: str = "blue-green", replicas: int = 2
    ) -> None:
        """Put a service into the catalog."""
        text = DESCRIPTOR.format(service=service, strategy=strategy, replicas=replicas)
        catalog.apply(self.work(), declared(descriptor.load(text, "steerway.yaml")))

    def begin(self, version: str, service: str = "shop") -> Deployment:
        """A deployment whose release is built."""
        deployment = actions.start(self.work(), Wish(service, "production", version))
        actions.take_release(self.work(), deployment, self.release(service, version))
        return queries.by_id(deployment.id)

    def release(self, service: str, version: str) -> Release:
        """A release on disk."""
        file = File("main.py", "0644", 1, sha256(version.encode()).hexdigest())
        origin = Origin(commit=version, name=version, subject="", author="", input_digest=version)
        sealed = Sealed(Manifest("command", "", (file,)))
        return releases.register(self.work(), service=service, origin=origin, sealed=sealed)

    def take(self, deployment: Deployment, *walk: tuple[Step, int]) -> Deployment:
        """Take steps, each with the number of its wave."""
        for step, wave in walk:
            steps.TAKE[step](self.ground, queries.by_id(deployment.id), wave)
        return queries.by_id(deployment.id)

    def serve(self, version: str, service: str = "shop") -> Deployment:
        """Deploy a version, all the way."""
        deployment = self.begin(version, service)
        waves = 1 if deployment.strategy == "blue-green" else deployment.replica_count
        middle = (Step.START, Step.VERIFY, Step.SWITCH, Step.DRAIN)
        walk = [(step, wave) for wave in range(waves) for step in middle]
        self.take(deployment, (Step.CONFIGURE, 0), *walk, (Step.RETIRE, 0))
        actions.finish(self.work(), deployment)
        return queries.by_id(deployment.id)


def stand(home: Path, work: Work) -> Iterator[Stand]:
    """A stand for one test."""
    claim, first = claim_block()
    made = Stand(home, lambda: work, range(first, first + 99))
    yield made
    made.programs.close()
    claim.close()
    shutil.rmtree(home, ignore_errors=True)
