"""What each collector saw the last time, for whoever asks."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from steerway.telemetry.scraping.rules.batch import Point

LOOKS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Looked:
    """The last look of one collector at one thing. `error` is empty when it went well."""

    collector: str
    what: str
    at: datetime
    seconds: float
    samples: int
    error: str = ""
    late: int = 0


@dataclass(slots=True)
class Board:
    """Written by the threads that look, read by everybody."""

    _looks: dict[str, Looked] = field(default_factory=dict)
    _late: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, looked: Looked) -> None:
        """Keep what was seen."""
        with self._lock:
            if name in self._looks or len(self._looks) < LOOKS_MAX:
                self._looks[name] = replace(looked, late=self._late.get(name, 0))

    def late(self, name: str) -> None:
        """A look was still going on when the next was due."""
        with self._lock:
            self._late[name] = self._late.get(name, 0) + 1

    def forget(self, name: str) -> None:
        """It is not looked at any more."""
        with self._lock:
            self._looks.pop(name, None)
            self._late.pop(name, None)

    def looks(self) -> list[Looked]:
        """The last look at everything, by collector."""
        with self._lock:
            return sorted(self._looks.values(), key=lambda one: (one.collector, one.what))

    def points(self) -> Iterator[Point]:
        """How the collectors do, by collector."""
        by_kind: dict[str, list[Looked]] = {}
        for one in self.looks():
            by_kind.setdefault(one.collector, []).append(one)
        for kind, looks in by_kind.items():
            labels = {"collector": kind}
            failing = sum(bool(one.error) for one in looks)
            yield Point("steerway_collector_targets", labels, len(looks))
            yield Point("steerway_collector_targets_failing", labels, failing)
            yield Point("steerway_collector_seconds", labels, sum(one.seconds for one in looks))
            yield Point("steerway_collector_samples", labels, sum(one.samples for one in looks))
            yield Point("steerway_collector_late_total", labels, sum(one.late for one in looks))
