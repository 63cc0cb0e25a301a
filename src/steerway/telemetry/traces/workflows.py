"""Counting spans into metrics, window by window."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from steerway.telemetry.ingest.rules.samples import Samples, SeriesSet
from steerway.telemetry.store import Store
from steerway.telemetry.traces import queries
from steerway.telemetry.traces.rules.meters import Meters, added, due

WINDOWS_MAX: Final = 20  # of one look; what is left is counted at the next


class Meter:
    """Counts the spans of each window that is over. `sink` stores samples, whole or not at all.

    `store` gives a store that has all that `sink` ever took, also before this process began.
    """

    def __init__(
        self,
        sink: Callable[[Samples, SeriesSet], object],
        *,
        store: Callable[[], Store],
        now: Callable[[], datetime],
    ) -> None:
        self._sink = sink
        self._store = store
        self._now = now
        # What was counted is what the store has: read at the start, and after a failure.
        self._meters: Meters | None = None

    def look(self) -> int:
        """Count what is due; how many windows.

        Raises:
            StoreDown: the store does not answer; the windows are counted later.
            QueueFull: too much waits to be stored; the same.
            NotStored: the store did not take the samples; the same.
        """
        now = self._now()
        meters = self._meters or queries.meters(self._store(), now=now)
        for number in range(WINDOWS_MAX):
            window = due(meters, now)
            if window is None:
                self._meters = meters
                return number
            self._count(meters, window)
        return WINDOWS_MAX

    def _count(self, meters: Meters, window: tuple[datetime, datetime]) -> None:
        # If this fails, only the store knows how far it came.
        self._meters = None
        rows = queries.calls(self._store(), since=window[0], until=window[1])
        samples, series = added(meters, rows, window)
        if len(samples):
            self._sink(samples, series)
        self._meters = meters
