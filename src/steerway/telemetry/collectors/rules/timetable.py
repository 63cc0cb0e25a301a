"""When each look is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

WHOLE: Final = 1 << 32
IDLE_SECONDS: Final = 1.0


@dataclass(slots=True)
class Timetable:
    """Looks at regular moments, spread over their interval by name so that not all come at once.

    Units: seconds of a clock that only goes forward. A look that comes late moves none after it.
    """

    intervals: dict[str, float] = field(default_factory=dict)
    next: dict[str, float] = field(default_factory=dict)

    def set(self, intervals: Mapping[str, float], now: float) -> None:
        """The looks there are from now on; those that were there keep their moments."""
        for name, interval in intervals.items():
            if self.intervals.get(name) != interval:
                self.next[name] = _next(name, interval, now)
        for name in self.intervals.keys() - intervals.keys():
            del self.next[name]
        self.intervals = dict(intervals)

    def due(self, now: float) -> list[str]:
        """What is to be looked at now, the longest due first; their next moments are after now."""
        found = sorted((at, name) for name, at in self.next.items() if at <= now)
        for _, name in found:
            self.next[name] = _next(name, self.intervals[name], now)
        return [name for _, name in found]

    def soon(self, names: Iterable[str], now: float) -> None:
        """Look at these at once."""
        for name in names:
            if name in self.next:
                self.next[name] = now

    def wait(self, now: float) -> float:
        """Seconds until the next look."""
        return max(0.0, min(self.next.values(), default=now + IDLE_SECONDS) - now)


def _next(name: str, interval: float, now: float) -> float:
    """The first moment of a name after now."""
    part = int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "little") / WHOLE
    offset = part * interval
    return offset + interval * ((now - offset) // interval + 1)
