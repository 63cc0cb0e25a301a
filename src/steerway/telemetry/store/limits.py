"""What a query may cost, and how it is stopped."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one query may take."""

    seconds: float = 30.0
    memory_bytes: int = 256 * 1024 * 1024
    rows_max: int = 1_000_000


DEFAULT: Final = Limits()


class Cancel:
    """Stops the query it was given to, from any thread, also before it starts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kill: Callable[[], None] | None = None
        self.asked = False

    def cancel(self) -> None:
        """End the query. More than once is harmless."""
        with self._lock:
            self.asked = True
            if self._kill is not None:
                self._kill()

    def arm(self, kill: Callable[[], None]) -> None:
        """Say how the query that starts now is killed."""
        with self._lock:
            self._kill = kill

    def disarm(self) -> None:
        """The query has ended; its connection may run another one."""
        with self._lock:
            self._kill = None
