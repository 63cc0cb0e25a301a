"""What a query may cost, and how it is stopped."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from steerway.platform.errors import SteerwayError
from steerway.telemetry.store.errors import QueryFailed

AGAIN_SECONDS: Final = 0.05  # A query that was about to start is not found by the first kill.
KILLS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one query may take."""

    seconds: float = 30.0
    memory_bytes: int = 256 * 1024 * 1024
    rows_max: int = 1_000_000


DEFAULT: Final = Limits()


class Cancel:
    """Stops the queries it was given to, from any thread, also before they start.

    `cancel` returns at once; the query ends soon after with Cancelled.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kill: Callable[[], None] | None = None
        self._idle = threading.Event()
        self.asked = False

    def cancel(self) -> None:
        """End the query. More than once is harmless."""
        with self._lock:
            if self.asked:
                return
            self.asked = True
            if self._kill is not None:
                threading.Thread(target=self._end, args=(self._kill,), daemon=True).start()

    def arm(self, kill: Callable[[], None]) -> bool:
        """Say how the query that starts now is killed; False says that it must not start."""
        with self._lock:
            self._kill = kill
            self._idle.clear()
            return not self.asked

    def disarm(self) -> None:
        """The query has ended."""
        with self._lock:
            self._kill = None
            self._idle.set()

    def _end(self, kill: Callable[[], None]) -> None:
        for _ in range(KILLS_MAX):
            try:
                kill()
            except (SteerwayError, QueryFailed):
                return  # The store is closing, and ends its queries itself.
            if self._idle.wait(AGAIN_SECONDS):
                return
