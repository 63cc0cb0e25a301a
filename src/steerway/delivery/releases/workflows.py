"""Steps around the files of releases. Each may run twice."""

from collections.abc import Callable, Collection
from uuid import UUID

from steerway.delivery.releases import actions, queries
from steerway.delivery.releases.adapters.store import Store
from steerway.delivery.releases.models import Release
from steerway.platform.db import unit_of_work
from steerway.platform.work import Work


def keep(
    store: Store,
    work: Callable[[], Work],
    *,
    service: str,
    count: int,
    protected: Callable[[], Collection[UUID]] = tuple,
) -> list[Release]:
    """Remove the oldest releases so that `count` remain, the protected ones among them.

    `protected` is asked in the transaction that gives them up: who began to need one before is
    heard, and who begins after finds it gone.

    Files that another service's release shares stay.
    """
    with store.locked():
        with unit_of_work():
            removed = actions.keep(work(), service=service, count=count, protected=protected())
        # What a crash leaves behind here goes at the next start, by `sweep`.
        store.sweep(queries.digests_given_up({release.digest for release in removed}))
    return removed


def sweep(store: Store) -> list[str]:
    """Remove the files of releases given up, once at start; the names of the directories."""
    with store.locked():
        return store.sweep(queries.digests_given_up())
