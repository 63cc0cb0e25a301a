"""Lines as they come: which of those that a look finds were not shown before. Pure."""

from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from steerway.telemetry.logs.rules.search import Line

# Lines arrive some seconds after they were printed, from different senders in no order: each look
# goes back so far behind the one before.
OVERLAP: Final = timedelta(seconds=10)
AHEAD: Final = timedelta(seconds=10)  # clocks of senders differ
KEPT_MAX: Final = 20_000  # lines remembered; more than that in ten seconds nobody can read


class Fresh:
    """Tells new lines from those shown."""

    def __init__(self) -> None:
        self._shown: Counter[tuple[datetime, int]] = Counter()
        self._order: deque[tuple[datetime, int]] = deque()

    def of(self, newest_first: Sequence[Line]) -> list[Line]:
        """The lines that were not shown before, oldest first; from now on they were."""
        found = []
        met: Counter[tuple[datetime, int]] = Counter()
        for line in reversed(newest_first):
            key = (line.ts, line.key)
            met[key] += 1
            if met[key] > self._shown[key]:
                found.append(line)
                self._order.append(key)
        for line in found:
            self._shown[line.ts, line.key] += 1
        while len(self._order) > KEPT_MAX:
            old = self._order.popleft()
            self._shown[old] -= 1
            if not self._shown[old]:
                del self._shown[old]
        return found
