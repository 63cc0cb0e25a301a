"""Telemetry of this server: the store and the intake, opened and closed with it."""

from typing import Final

from steerway.platform import clock
from steerway.platform.settings import Settings
from steerway.telemetry import store
from steerway.telemetry.ingest.rules.limits import IngestLimits
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.receiving.workflows import Receiver
from steerway.telemetry.store import StoreDown

MEBIBYTE: Final = 1024 * 1024
PACKED: Final = 4  # how much smaller a body may be than what is in it


class Telemetry:
    """Opens the store, and takes in what is to be stored."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.limits = limits_of(settings)
        # By service: the most series it may have, where its descriptor says so.
        self.series_max: dict[str, int] = {}
        self.intake = Intake(
            store.current, now=clock.now, limits=self.limits, series_max=self._series_max
        )
        self._receiver = Receiver(self.intake)
        self._is_open = False

    def start(self) -> None:
        """Open the store, and begin to take in."""
        store.open(self._settings)
        self.intake.start()
        self._is_open = True

    def stop(self) -> None:
        """Store what waits, and close the store."""
        self._is_open = False
        self.intake.stop()
        store.close()

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


def limits_of(settings: Settings) -> IngestLimits:
    """The limits that the settings name."""
    body = settings.ingest_megabytes * MEBIBYTE
    return IngestLimits(
        queue_bytes=settings.ingest_queue_megabytes * MEBIBYTE,
        body_bytes=body,
        unpacked_bytes=body * PACKED,
        held_bytes=settings.ingest_queue_megabytes * MEBIBYTE // 2,
        series_max=settings.ingest_series,
    )
