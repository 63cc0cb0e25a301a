"""How the store is, and how large."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from steerway.platform.errors import SteerwayError
from steerway.telemetry.store import opening, tending
from steerway.telemetry.store.errors import QueryFailed

STARTING: Final = "starting"


@dataclass(frozen=True, slots=True)
class Size:
    """What lies on disk, and from which day on the samples, logs and traces are."""

    size_bytes: int
    since: datetime | None


def state() -> str:
    """Of this process's store: up, starting or down. Asks nobody."""
    try:
        opening.current()
    except SteerwayError as error:
        return STARTING if error.fields.get("why") == STARTING else "down"
    return "up"


def size() -> Size | None:
    """What the open store takes; None while it cannot say."""
    try:
        store = opening.current()
        return Size(sum(part.size_bytes for part in tending.parts(store)), tending.since(store))
    except (SteerwayError, QueryFailed):
        return None
