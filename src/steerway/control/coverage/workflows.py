"""Looks again and again whether something went silent."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from steerway.control.coverage import queries
from steerway.platform.db import reading, unit_of_work
from steerway.platform.work import Work
from steerway.telemetry.coverage import actions
from steerway.telemetry.coverage import queries as coverage
from steerway.telemetry.coverage.rules import Spot, State
from steerway.telemetry.store import Store


@dataclass(slots=True)
class Watch:
    """Records the turns of the cells of the services that live here.

    For as long as silence may last after a start it keeps quiet: whoever was silent because this
    server was away, gets the time to be heard.
    """

    store: Callable[[], Store]
    services: Callable[[], Collection[str]]
    work: Callable[[], Work]
    silence: timedelta
    began_at: datetime | None = None
    states: dict[Spot, State] | None = None

    def look(self) -> None:
        """Look once.

        Raises:
            SteerwayError: the store does not answer.
        """
        work = self.work()
        self.began_at = self.began_at or work.now
        with reading():
            if self.states is None:
                self.states = coverage.states()
            found = queries.grids(self.store(), self.services(), now=work.now, silence=self.silence)
        if work.now - self.began_at <= self.silence:
            found = [coverage.only_fresh(one) for one in found]
        with unit_of_work():
            self.states |= actions.note(work, found, self.states)
