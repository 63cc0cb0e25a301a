"""What the server does once an hour, and what it says of what goes wrong again and again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from steerway.delivery.builds.adapters.builder import Builder
from steerway.delivery.deployments.workflows.sweeping import Sweep
from steerway.platform import db
from steerway.platform.identity import actions as identity
from steerway.platform.work import Work

AGAIN_SECONDS: Final = 60.0


@dataclass(slots=True)
class Complaint:
    """The last thing that went wrong in a loop, so that a log is not filled with it.

    `now` is a clock that only goes forward.
    """

    now: Callable[[], float] = time.monotonic
    text: str = ""
    said_at: float = 0.0

    def is_news(self, text: str) -> bool:
        """Whether to say it: it is another one, or the last time was a minute ago."""
        if text == self.text and self.now() - self.said_at < AGAIN_SECONDS:
            return False
        self.text, self.said_at = text, self.now()
        return True


def tidy(work: Work, sweep: Sweep, builder: Builder) -> None:
    """Keep what grows within its bounds: tables, sessions, workflows that ended, logs of builds."""
    with db.reading():
        db.tend()
    with db.unit_of_work():
        identity.tidy(work)
    while sweep.forget(work.now):
        pass
    builder.trim()
