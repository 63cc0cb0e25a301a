"""What happens to flags by itself: steps of rollouts, and the files that replicas read.

The records say what is to be done, and doing it again is harmless: a step moves its rollout's
row in the transaction of its effect, and a file is a function of its document. So nothing is
lost and nothing done twice, wherever a server is killed.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from steerway.delivery.declarations import queries
from steerway.delivery.declarations.rules.documents import total
from steerway.delivery.flags import actions
from steerway.delivery.flags.adapters.files import FlagFiles
from steerway.delivery.flags.rules.asked import Asked
from steerway.delivery.rollouts import queries as rolling
from steerway.planning.catalog import queries as catalog
from steerway.platform.db import Remembered, reading, unit_of_work
from steerway.platform.work import Work

COUNTED_SECONDS: Final = 10.0
KEPT_SECONDS: Final = 3600.0  # what a replica that is gone has counted
Key = tuple[str, str]


class Keeper:
    """Looks after the flags of the services that live on one server."""

    def __init__(
        self,
        files: FlagFiles,
        work: Callable[[], Work],
        *,
        asked: Asked | None = None,
        node: str = "",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`asked` are evaluations of the server itself; `now` is a clock that goes forward."""
        self._files = files
        self._work = work
        self._asked = asked or Asked()
        self._now = now
        self._written: dict[Key, str] = {}
        self._counted: dict[Key, dict[str, int]] = {}
        self._counted_at = -COUNTED_SECONDS
        self._next_at = Remembered(rolling.next_at)
        self._wanted = Remembered(lambda: queries.etags(catalog.living_on(node)))

    def look(self) -> None:
        """Take what is due, write what is different, note what was evaluated."""
        self._step()
        self._write()
        self._files.beat()
        if self._now() - self._counted_at >= COUNTED_SECONDS:
            self._counted_at = self._now()
            self._count()

    def _step(self) -> None:
        next_at, now = self._next_at(), self._work().now
        if next_at is None or next_at > now:
            return
        with reading():
            due = rolling.due(now)
        for rollout in due:
            with unit_of_work():
                actions.step(self._work(), rollout)

    def _write(self) -> None:
        for key, etag in self._wanted().items():
            if key not in self._written:
                self._written[key] = self._files.etag(*key)
            if self._written[key] == etag:
                continue
            with reading():
                document = queries.document(*key)
            if document is not None:
                self._files.write(*key, document.text)
                self._written[key] = document.etag

    def _count(self) -> None:
        """Note which flags were asked for since the last time."""
        for (service, environment), keys in self._asked.drained().items():
            self._note(service, environment, sorted(keys))
        for service, environment in list(self._written):
            gone = self._work().now.timestamp() - KEPT_SECONDS
            self._files.tidy(service, environment, before=gone)
            counts = total(self._files.counts(service, environment))
            # What was counted before the server began to look says nothing about now.
            before = self._counted.get((service, environment), counts)
            asked = [key for key, count in counts.items() if count and count != before.get(key)]
            self._counted[service, environment] = counts
            self._note(service, environment, asked)

    def _note(self, service: str, environment: str, keys: Sequence[str]) -> None:
        if keys:
            with unit_of_work():
                actions.evaluated(self._work(), service, environment, keys)
