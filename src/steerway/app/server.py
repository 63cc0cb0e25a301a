"""The server process: doors, workflows, reconciliation, and an orderly end.

It holds a lock on the home directory, so that two servers never work on the same state.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, Final

import uvicorn

from steerway.app.connections import Connection
from steerway.platform.errors import Refused
from steerway.platform.settings import Settings

if TYPE_CHECKING:
    from steerway.app.intake import TelemetryDoor
    from steerway.app.ofrep import FlagDoor
    from steerway.app.prometheus import Prometheus
    from steerway.app.tailing import Tail
    from steerway.app.telemetry import Telemetry
    from steerway.app.worker import Worker

    WorkerMaker = Callable[[Settings], Worker]

BACKLOG: Final = 512
SOCKET_PATH_MAX: Final = 107
GRACE_SECONDS: Final = 5
ARENAS: Final = 2  # of memory: half a hundred threads that wait need no arena each
M_ARENA_MAX: Final = -8  # glibc's malloc.h
LINK: Final = re.compile(r"/link/[\w-]+")


class HomeInUse(Refused):
    """Another server works here."""

    message = "A server (process {pid}) is running for {home}. `steerway down` stops it."


class PortTaken(Refused):
    """Another program listens there."""

    message = (
        "Port {port} of {address} is taken by another program. "
        "Stop it, or choose another port with {variable}."
    )


class PathTooLong(Refused):
    """A unix socket cannot have this path."""

    message = (
        "{path} is too long for a socket ({length} characters, {most} are possible). "
        "Choose a shorter STEERWAY_HOME."
    )


class WithoutPandas(MetaPathFinder):
    """Says that there is no pandas.

    The telemetry engine has it installed for conversions that nobody asks for here, and pyarrow
    loads whatever pandas it finds with the first array: 28 MB and half a second.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """Let every other module be found by somebody else."""
        if name == "pandas":
            raise ModuleNotFoundError("the server does without pandas", name=name)


def serve(settings: Settings, make_worker: "WorkerMaker | None" = None) -> None:
    """Run the server until it is told to stop.

    `make_worker` makes the part that works; it is called once Django is loaded.

    Raises:
        HomeInUse: another server has the home directory.
        PortTaken: another program has the port.
    """
    os.umask(0o077)
    _share_memory()
    sys.meta_path.insert(0, WithoutPandas())
    for directory in (settings.home, settings.run, settings.log):
        directory.mkdir(parents=True, exist_ok=True)
    with _home_lock(settings), contextlib.ExitStack() as doors:
        network = doors.enter_context(network_socket(settings))
        local = doors.enter_context(_local_socket(settings.socket))
        _logging()
        # Django is loaded only once the doors are ours.
        from steerway.app import django_setup  # noqa: PLC0415

        django_setup.prepare()
        asyncio.run(_listen(settings, [network, local], make_worker or _worker))


def _share_memory() -> None:
    """Let threads share what malloc holds for them; where it is not glibc's, nothing."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_ARENA_MAX, ARENAS)


def _worker(settings: Settings) -> "Worker":
    from steerway.app.worker import Worker  # noqa: PLC0415 -- the engine takes its time to load

    return Worker(settings)


async def _listen(
    settings: Settings, doors: list[socket.socket], make_worker: "WorkerMaker"
) -> None:
    """Serve pages at once, and let the worker come up beside them.

    Raises:
        SteerwayError: the worker could not start.
    """
    from steerway.app import access  # noqa: PLC0415 -- Django is loaded now
    from steerway.app.asgi import Beside, Front  # noqa: PLC0415 -- the same
    from steerway.app.events import Stream  # noqa: PLC0415 -- the same
    from steerway.app.telemetry import Telemetry  # noqa: PLC0415 -- the same

    telemetry = Telemetry(settings)
    beside: list[Beside] = [_prometheus(settings), _tail(), _senders(telemetry), _flags()]
    front = Front(Stream(access.may_read), settings.threads, beside)
    servers = [_Door(front.door(local=False)), _Door(front.door(local=True))]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    working = asyncio.create_task(asyncio.to_thread(_begin, settings, make_worker, telemetry))
    working.add_done_callback(lambda task: stop.set() if task.exception() else None)
    tasks = [
        asyncio.create_task(server.serve(sockets=[door]))
        for server, door in zip(servers, doors, strict=True)
    ]
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    await front.close()
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*tasks)
    stopped.cancel()
    try:
        (await working).stop()
    finally:
        telemetry.stop()


def _tail() -> "Tail":
    """The door of those who follow lines."""
    from steerway.app import access  # noqa: PLC0415 -- Django is loaded now
    from steerway.app.tailing import Tail  # noqa: PLC0415 -- the same
    from steerway.telemetry import store  # noqa: PLC0415 -- arrays take their time to load

    return Tail(store.current, partial(access.may, "records.read"))


def _prometheus(settings: Settings) -> "Prometheus":
    """The door of Prometheus clients."""
    from steerway.app import access  # noqa: PLC0415 -- Django is loaded now
    from steerway.app.prometheus import Prometheus  # noqa: PLC0415 -- the same
    from steerway.telemetry import store  # noqa: PLC0415 -- arrays take their time to load
    from steerway.telemetry.metrics.rules import QueryLimits  # noqa: PLC0415 -- the same

    limits = QueryLimits(
        seconds=settings.query_seconds,
        memory_bytes=settings.query_megabytes * 1024 * 1024,
        cells=settings.query_samples,
    )
    return Prometheus(store.current, partial(access.may, "records.read"), limits)


def _senders(telemetry: "Telemetry") -> "TelemetryDoor":
    """The door of those who send telemetry."""
    from steerway.app import access  # noqa: PLC0415 -- Django is loaded now
    from steerway.app.intake import TelemetryDoor  # noqa: PLC0415 -- the same

    return TelemetryDoor(
        telemetry.receiver,
        access.writer,
        body_bytes=telemetry.limits.body_bytes,
        held_bytes=telemetry.limits.held_bytes,
    )


def _flags() -> "FlagDoor":
    from steerway.app import access  # noqa: PLC0415 -- Django is loaded now
    from steerway.app.ofrep import FlagDoor  # noqa: PLC0415 -- the same
    from steerway.app.watching import ASKED  # noqa: PLC0415 -- the same

    return FlagDoor(access.actor_of, ASKED)


def _begin(settings: Settings, make_worker: "WorkerMaker", telemetry: "Telemetry") -> "Worker":
    telemetry.start()
    worker = make_worker(settings)
    worker.start(telemetry)
    return worker


class _Door(uvicorn.Server):
    """One listener. Signals belong to the process, not to it."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                timeout_keep_alive=30,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@contextlib.contextmanager
def _home_lock(settings: Settings) -> Iterator[None]:
    with (settings.run / "server.lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HomeInUse(pid=_pid(handle), home=settings.home) from error
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield


def _pid(handle: IO[str]) -> str:
    handle.seek(0)
    return handle.read().strip() or "unknown"


@contextlib.contextmanager
def network_socket(settings: Settings) -> Iterator[socket.socket]:
    """The listener of the network door.

    Raises:
        PortTaken: another program has the port.
    """
    family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((settings.address, settings.port))
        except OSError as error:
            raise PortTaken(
                port=settings.port, address=settings.address, variable="STEERWAY_PORT"
            ) from error
        door.listen(BACKLOG)
        yield door


@contextlib.contextmanager
def _local_socket(path: Path) -> Iterator[socket.socket]:
    if len(str(path)) > SOCKET_PATH_MAX:
        raise PathTooLong(path=path, length=len(str(path)), most=SOCKET_PATH_MAX)
    path.unlink(missing_ok=True)  # The lock says that its server is gone.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(path))  # The process mask makes it 0600 from its first moment.
        door.listen(BACKLOG)
        try:
            yield door
        finally:
            path.unlink(missing_ok=True)


def _logging() -> None:
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(without_links)
    for noisy in ("dbos", "uvicorn.error", "httpx", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def without_links(record: logging.LogRecord) -> bool:
    """Let every line through, without the secrets of sign-in links in it."""
    text = record.getMessage()
    if LINK.search(text):
        record.msg, record.args = LINK.sub("/link/…", text), ()
    return True
