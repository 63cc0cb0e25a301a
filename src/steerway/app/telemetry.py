"""Telemetry of this server: the store and the intake, opened and closed with it."""

import logging
import shutil
import threading
from datetime import datetime, timedelta
from typing import Final

from steerway.planning.catalog import queries as catalog
from steerway.platform import clock
from steerway.platform.db import reading, unit_of_work
from steerway.platform.errors import SteerwayError
from steerway.platform.keys import node_of
from steerway.platform.settings import Settings
from steerway.platform.work import Work
from steerway.telemetry import store
from steerway.telemetry.ingest.rules.limits import IngestLimits
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.receiving.workflows import Receiver
from steerway.telemetry.retention.rules import Keep, Room
from steerway.telemetry.retention.workflows.tending import Tending
from steerway.telemetry.store import Store, StoreDown

LOGGER = logging.getLogger("steerway.telemetry")

TOLD_EVERY: Final = timedelta(hours=1)
GIBIBYTE: Final = 1024**3
MEBIBYTE: Final = 1024 * 1024
# The longest that samples wait which nobody waits for: each insert costs, also a small one.
LINGER: Final = timedelta(seconds=2)
PACKED: Final = 4  # how much smaller a body may be than what is in it


class Telemetry:
    """Opens the store, and takes in what is to be stored."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.limits = limits_of(settings)
        # By service: the most series it may have, where its descriptor says so.
        self.series_max: dict[str, int] = {}
        self.intake = Intake(
            store.current,
            now=clock.now,
            journal=settings.home / "ingest",
            limits=self.limits,
            series_max=self._series_max,
        )
        self._receiver = Receiver(self.intake)
        self._told: dict[str, datetime] = {}
        self._is_open = False
        self._turn = threading.Lock()
        self._opening = threading.Thread(target=self._open, name="telemetry-open", daemon=True)
        self._tending: Tending | None = None

    def start(self) -> None:
        """Begin to take in, and open the store beside everything else that starts.

        A store that cannot be opened keeps nothing else from working; `tend` tries it again.
        """
        self._is_open = True
        self.intake.start()
        self._opening.start()

    def stop(self) -> None:
        """Store what waits, and close the store."""
        self._is_open = False
        self._opening.join()
        self.intake.stop()
        with self._turn:
            store.close()

    def tend(self, work: Work) -> None:
        """Keep the store within its bounds, and open it if it is not open yet.

        Raises:
            StoreDown, StoreBusy: it cannot be opened now.
        """
        self.learn()
        with self._turn:
            if not self._is_open:
                return
            opened = store.open(self._settings)
        self.keep(work, opened)
        self.tell(work)
        self.intake.add_own()

    def tell(self, work: Work) -> None:
        """Who sent more series than they may, once an hour each, in the log."""
        since = work.now - TOLD_EVERY
        crowded = self.intake.book.crowded(round(since.timestamp() * 1000))
        self._told = {service: at for service, at in self._told.items() if at > since}
        for service in crowded.keys() - self._told.keys():
            self._told[service] = work.now
            with unit_of_work():
                work.record("telemetry.series-refused", service, reason=crowded[service])

    def learn(self) -> None:
        """Ask the catalog how many series the services here may have."""
        with reading():
            services = catalog.living_on(node_of(self._settings))
            found = catalog.sections(services, "telemetry")
        self.series_max = {
            service: most for (service, _), said in found.items() if (most := said.get("series"))
        }

    def keep(self, work: Work, opened: Store) -> None:
        """One round of retention; what was dropped to make room is in the log."""
        self._tending = self._tending or Tending(opened, keep_of(self._settings))
        trimmed = self._tending.round(work.now, room_of(self._settings))
        for one in trimmed:
            with unit_of_work():
                work.record(
                    "telemetry.trimmed",
                    one.table,
                    until=one.until.isoformat(),
                    size_bytes=one.size_bytes,
                    reason=one.reason,
                )

    def _open(self) -> None:
        try:
            store.open(self._settings)
        except SteerwayError as error:
            LOGGER.warning("%s", error)

    def receiver(self) -> Receiver:
        """Who takes the bodies of senders.

        Raises:
            StoreDown: the server is starting or stopping.
        """
        if not self._is_open:
            raise StoreDown(why="not open now")
        return self._receiver

    def _series_max(self, service: str) -> int:
        return self.series_max.get(service, self.limits.series_max)


def keep_of(settings: Settings) -> Keep:
    """How long each signal is kept."""
    return Keep(
        metrics=settings.metrics_days,
        rollups=settings.rollups_days,
        logs=settings.logs_days,
        traces=settings.traces_days,
        requests=settings.requests_days,
    )


def room_of(settings: Settings) -> Room | None:
    """The disk under the store; None when a server elsewhere has its own."""
    if settings.clickhouse_url:
        return None
    free = shutil.disk_usage(settings.home).free
    return Room(settings.telemetry_gigabytes * GIBIBYTE, free)


def limits_of(settings: Settings) -> IngestLimits:
    """The limits that the settings name."""
    body = settings.ingest_megabytes * MEBIBYTE
    return IngestLimits(
        queue_bytes=settings.ingest_queue_megabytes * MEBIBYTE,
        body_bytes=body,
        unpacked_bytes=body * PACKED,
        held_bytes=settings.ingest_queue_megabytes * MEBIBYTE // 2,
        series_max=settings.ingest_series,
        linger=LINGER,
    )
