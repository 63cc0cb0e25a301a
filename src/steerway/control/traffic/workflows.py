"""One question to the router, every second, by the server."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from steerway.control.traffic.rules import Flow, Look, Tally, Window, moved, totals
from steerway.delivery.router.errors import RouterDown
from steerway.delivery.router.rules import Count


@dataclass(slots=True)
class Sampler:
    """Fills a window from the router's counters. It remembers only what they said last."""

    counts: Callable[[], Sequence[Count]]
    now: Callable[[], datetime]
    window: Window
    before: dict[Flow, Tally] | None = None

    def look(self) -> None:
        """Ask once, and keep what was answered since. A router that does not answer is a gap."""
        try:
            found = totals(self.counts())
        except RouterDown:
            self.before = None
            return
        before, self.before = self.before, found
        answered = {} if before is None else moved(before, found)
        self.window.add(Look(self.now(), answered, begins=before is None))
