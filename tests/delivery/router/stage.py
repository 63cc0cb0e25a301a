"""Replicas, clients and a router for tests: all on free ports of this machine."""

import contextlib
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from steerway.delivery.router.adapters import programs
from steerway.delivery.router.adapters.bootstrap import Site
from steerway.delivery.router.adapters.envoy import Envoy
from steerway.delivery.router.adapters.files import wait
from steerway.delivery.router.errors import RouterDown
from steerway.delivery.router.rules import Endpoint, Health, Share, Table, Version, VirtualHost

QUICK = Health(path="/healthz", interval=timedelta(milliseconds=200))
LIMIT = timedelta(seconds=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Replica(ThreadingHTTPServer):
    """A service that answers its name, and can be ill in several ways."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.name = name
        self.is_well = True
        self.act: Callable[[Answer], None] | None = None
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.connections: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self.server_port)

    def requests(self, method: str) -> int:
        return sum(1 for one, _, _ in self.seen if one == method)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what these tests are about."""

    def kill(self) -> None:
        """End as a killed process does: every connection breaks, the port is closed."""
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: Replica

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/healthz":
            self.say(200 if self.server.is_well else 503, b"")
            return
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        if self.server.act:
            self.server.act(self)
            return
        self.say(200, self.server.name.encode() + (b" %d" % len(body) if body else b""))

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - what the library looks for

    def say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def say_later(self, delay: timedelta) -> None:
        wait(lambda: False, delay)
        self.say(200, b"late")

    def hang_up(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""


class Stage:
    """A router with a home of its own."""

    def __init__(self, run: Path) -> None:
        self.site = Site(
            run=run,
            log=run / "log",
            address="127.0.0.1",
            port=free_port(),
            concurrency=1,
            drain=timedelta(seconds=1),
            leave=timedelta(seconds=2),
        )
        self.envoy = Envoy(self.site)
        self.keepers: list[subprocess.Popen[bytes]] = []
        self.envoy.prepare()

    def keep(self) -> subprocess.Popen[bytes]:
        """What a supervisor does."""
        with (self.site.log / "keeper.log").open("ab") as log:
            keeper = subprocess.Popen(
                programs.program(self.site).command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.keepers.append(keeper)
        wait(lambda: keeper.poll() is not None or programs.kept(self.site) == keeper.pid, LIMIT)
        return keeper

    def start(self) -> int:
        """The process of a router that serves."""
        self.keep()
        return self.await_serving()

    def await_serving(self, other_than: int | None = None) -> int:
        assert wait(lambda: self.serving() not in {None, other_than}, LIMIT), self.log()
        serving = self.serving()
        assert serving
        return serving

    def serving(self) -> int | None:
        try:
            return self.envoy.serving()
        except RouterDown:
            return None

    def log(self) -> str:
        path = self.site.log / "router.log"
        return path.read_text() if path.exists() else ""

    def stop(self) -> None:
        for keeper in self.keepers:
            keeper.terminate()
            keeper.wait()
        programs.end(self.site)

    def ask(
        self,
        host: str,
        path: str = "/",
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str, dict[str, str]]:
        connection = HTTPConnection("127.0.0.1", self.site.port, timeout=10)
        try:
            connection.request(method, path, body, {"host": host} | (headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), lower(answer)
        finally:
            connection.close()


def lower(answer: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders()}


class Load:
    """Clients that ask without a pause over connections they keep."""

    def __init__(self, port: int, host: str, method: str = "GET", clients: int = 4) -> None:
        self.target = (port, host, method)
        self.outcomes: Counter[str] = Counter()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    @property
    def total(self) -> int:
        return self.outcomes.total()

    @property
    def failed(self) -> dict[str, int]:
        return {what: n for what, n in self.outcomes.items() if not what.startswith("200 ")}

    def more(self, requests: int) -> None:
        """Return when so many more requests were answered."""
        goal = self.total + requests
        assert wait(lambda: self.total >= goal, timedelta(seconds=30)), self.outcomes

    def _run(self) -> None:
        port, host, method = self.target
        body = b"x" * 100 if method == "POST" else None
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        while not self.stopping.is_set():
            try:
                connection.request(method, "/", body, {"host": host})
                answer = connection.getresponse()
                name = answer.read().decode().split()[0]
                self.outcomes[f"{answer.status} {name}"] += 1
            except (OSError, HTTPException) as error:
                self.outcomes[type(error).__name__] += 1
                connection.close()
        connection.close()


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="swr", dir="/tmp") as home:
        one = Stage(Path(home))
        try:
            yield one
        finally:
            one.stop()


@contextlib.contextmanager
def replicas(*names: str) -> Iterator[list[Replica]]:
    running = [Replica(name) for name in names]
    try:
        yield running
    finally:
        for one in running:
            one.kill()


def version(cluster: str, *replicas: Replica, release: str = "r1", **settings: Any) -> Version:
    endpoints = tuple(one.endpoint for one in replicas)
    return Version(cluster, "shop", "production", release, endpoints, QUICK, **settings)


def shop(*shares: tuple[str, int], **settings: Any) -> VirtualHost:
    return VirtualHost(
        name="shop-production",
        service="shop",
        environment="production",
        domains=("shop.localhost", "shop.production.localhost"),
        shares=tuple(Share(cluster, percent) for cluster, percent in shares),
        **settings,
    )


def table(host: VirtualHost, *versions: Version) -> Table:
    return Table((host,), versions)


def elapsed(act: Callable[[], object]) -> float:
    start = time.monotonic()
    act()
    return time.monotonic() - start
