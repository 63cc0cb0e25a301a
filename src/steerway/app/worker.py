"""The part of the server that works: workflows, the sweep that starts them, reconciliation.

The database says what is to be done; a wake-up only makes it quicker. So a crash between a
commit and its workflow loses nothing: the sweep starts whatever is recorded and not running.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from dbos import DBOS, DBOSConfig

from steerway.app.chores import Complaint, tidy
from steerway.app.grounds import ground_of
from steerway.app.observing import Observing
from steerway.app.permissions import PERMISSIONS
from steerway.app.printing import Printing
from steerway.app.telemetry import Telemetry
from steerway.app.waking import BELL, ring
from steerway.app.watching import ASKED, BOARD, TRAFFIC
from steerway.control.reconciliation import workflows as reconciliation
from steerway.control.reconciliation.workflows import Reconciler
from steerway.control.traffic.workflows import Sampler
from steerway.delivery.builds import workflows as builds
from steerway.delivery.builds.workflows import Workshop
from steerway.delivery.deployments.workflows import judging
from steerway.delivery.deployments.workflows.rollout import Observer, Rollout
from steerway.delivery.deployments.workflows.sweeping import Sweep
from steerway.delivery.exposures.workflows import Judge
from steerway.delivery.flags import actions as flags
from steerway.delivery.flags.adapters.files import FlagFiles
from steerway.delivery.flags.workflows import Keeper
from steerway.platform import clock
from steerway.platform.db import Remembered, unit_of_work
from steerway.platform.errors import SteerwayError
from steerway.platform.keys import node_of
from steerway.platform.roles import Role
from steerway.platform.settings import Settings
from steerway.platform.work import Actor, Work

LOGGER = logging.getLogger("steerway.worker")

NAME: Final = "steerway"
# Raise it when a workflow's steps change so that a running one could not go on.
WORKFLOWS_VERSION: Final = "1"
SWEEP_SECONDS: Final = 1.0
BURY_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 1.0
FLAGS_SECONDS: Final = 0.5  # how long a switch that was turned may take to reach a replica's file
EXPOSURES_SECONDS: Final = 2.0  # as often as replicas leave what they have counted
TIDY_SECONDS: Final = 3600.0
TELEMETRY_SECONDS: Final = 60.0
LINES_SECONDS: Final = 2.0  # each look at a program that prints is an insert
SPANS_SECONDS: Final = 5.0
COVERAGE_SECONDS: Final = 15.0
COVERAGE_LOOKS: Final = 4  # within the silence that makes a cell stale
SQLITE_WITH_MILLISECONDS: Final = (3, 42)


class Connection(sqlite3.Connection):
    """Knows `unixepoch('subsec')`, which the engine asks for from Python 3.12 on.

    An older SQLite, as that of Debian 12, answers it with NULL.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if sqlite3.sqlite_version_info < SQLITE_WITH_MILLISECONDS:
            self.create_function("unixepoch", 1, lambda _: round(time.time(), 3))


SQLITE_ENGINE: Final = {"connect_args": {"factory": Connection}}


def system_work() -> Work:
    """Steerway's own hand, at this moment."""
    actor = Actor(name="steerway", role=Role.ADMIN, grants=PERMISSIONS)
    return Work(actor=actor, now=clock.now(), starter=ring)


def log_step(deployment_id: str, what: str) -> None:
    """One line a step."""
    LOGGER.info("deployment %s %s", deployment_id, what)


class Worker:
    """Threads beside the web: they start with the server and end with it."""

    def __init__(self, settings: Settings, observe: Observer = log_step) -> None:
        self.settings = settings
        self.ground = ground_of(settings, system_work)
        self.reconciler = Reconciler(self.ground)
        self.sampler = Sampler(self.ground.envoy.counts, clock.now, TRAFFIC)
        self.observing: Observing | None = None
        files = FlagFiles(settings.home)
        self.flags = Keeper(files, system_work, asked=ASKED, node=node_of(settings))
        self.judge = Judge(files.outcomes, flags.turn_off, system_work, node=node_of(settings))
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        DBOS(config=_dbos_config(settings))
        self.rollout = Rollout(self.ground, observe)
        self.sweep = Sweep(self.rollout, node_of(settings), _version_of(settings))

    def start(self, telemetry: Telemetry | None = None) -> None:
        """Have supervisord and the router run, resume workflows, and keep looking.

        What is measured goes to the intake of `telemetry`.
        """
        self.telemetry = telemetry
        self.ground.supervisor.ensure()
        reconciliation.start_router(self.ground)
        workshop = Workshop(self.ground.git, self.ground.builder, self.ground.store)
        builds.sweep(workshop, system_work)
        DBOS.launch()
        with unit_of_work():
            system_work().record("server.started", NAME)
        self._keep_doing("sweep", self.sweep.start, SWEEP_SECONDS, BELL)
        self._keep_doing("bury", self.sweep.bury, BURY_SECONDS, self._ending)
        self._keep_doing("look", self.reconciler.look, LOOK_SECONDS, self._ending)
        pulse = partial(judging.listen, self.ground, Remembered(judging.compared))
        self._keep_doing("pulse", pulse, LOOK_SECONDS, self._ending)
        self._keep_doing("traffic", self.sampler.look, LOOK_SECONDS, self._ending)
        self._keep_doing("flags", self.flags.look, FLAGS_SECONDS, self._ending)
        self._keep_doing("exposures", self.judge.look, EXPOSURES_SECONDS, self._ending)
        self._keep_doing("tidy", self._tidy, TIDY_SECONDS, self._ending)
        if telemetry is not None:
            tend = partial(self._tend, telemetry)
            self._keep_doing("telemetry", tend, TELEMETRY_SECONDS, self._ending)
            self._observe(telemetry)
            self._follow(telemetry)

    def stop(self) -> None:
        """End the threads; what is in the middle of a step goes on at the next start."""
        self._ending.set()
        if self.observing is not None:
            self.observing.stop()
        BELL.set()
        for thread in self._threads:
            thread.join(timeout=5)
        DBOS.destroy()

    def _follow(self, telemetry: Telemetry) -> None:
        printing = Printing(self.ground, self.settings, telemetry.intake)
        self._keep_doing("lines", printing.lines.look, LINES_SECONDS, self._ending)
        self._keep_doing("requests", printing.requests.look, LINES_SECONDS, self._ending)
        self._keep_doing("spans", printing.meter.look, SPANS_SECONDS, self._ending)

    def _observe(self, telemetry: Telemetry) -> None:
        self.observing = Observing(self.ground, self.settings, telemetry.intake, BOARD)
        self.observing.start()
        watch = self.observing.watch
        pause = min(COVERAGE_SECONDS, watch.silence.total_seconds() / COVERAGE_LOOKS)
        self._keep_doing("coverage", watch.look, pause, self._ending)

    def _keep_doing(
        self, name: str, task: Callable[[], object], seconds: float, waker: threading.Event
    ) -> None:
        thread = threading.Thread(
            target=self._loop, args=(name, task, seconds, waker), name=name, daemon=True
        )
        thread.start()
        self._threads.append(thread)

    def _loop(
        self, name: str, task: Callable[[], object], seconds: float, waker: threading.Event
    ) -> None:
        complaint = Complaint()
        while not self._ending.is_set():
            try:
                task()
            except SteerwayError as error:
                if complaint.is_news(str(error)):
                    LOGGER.warning("%s: %s", name, error)
            except Exception as error:  # a loop that must go on
                if complaint.is_news(repr(error)):
                    LOGGER.exception("%s failed", name)
            waker.wait(seconds)
            if waker is BELL:
                BELL.clear()

    def _tend(self, telemetry: Telemetry) -> None:
        telemetry.tend(system_work())

    def _tidy(self) -> None:
        tidy(system_work(), self.sweep, self.ground.builder)


def _version_of(settings: Settings) -> str:
    """What the engine takes for the version of this server's code.

    With the server in it, because whatever is recovered goes through a queue that all servers of
    one version share, and the files of a service are on one of them.
    """
    return f"{WORKFLOWS_VERSION}@{node_of(settings)}"


def _dbos_config(settings: Settings) -> DBOSConfig:
    url = settings.database_url
    if not url:
        file = settings.home / "workflows.db"
        # The engine does not ask for it, and the mode stays with the file.
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        url = f"sqlite:///{file}"
    return {
        "name": NAME,
        "system_database_url": url.replace("postgresql://", "postgresql+psycopg://", 1),
        "application_version": _version_of(settings),
        # Each installation recovers its own workflows, and no living neighbour's.
        "executor_id": node_of(settings),
        "console_log_level": "WARNING",
        "log_level": "WARNING",
        "max_executor_threads": 64,
        "db_engine_kwargs": {} if settings.database_url else SQLITE_ENGINE,
    }
