"""States, wishes and events of analyses."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

EVENTS: Final[Mapping[str, str]] = {
    "analysis.begun": "A new version runs beside what serves, to be compared with it.",
    "release.exposed": "Users reach a new version for the first time; their share.",
    "release.withdrawn": "No user reaches it any more.",
    "analysis.shadowed": "It answered copies of requests no worse than what serves.",
    "analysis.advanced": "It has earned a larger share of the traffic; why.",
    "analysis.stepped-back": "It got a smaller share again, to be compared once more; why.",
    "analysis.held": "It stays at its share for now; why.",
    "analysis.paused": "Somebody keeps it at its share.",
    "analysis.resumed": "It may go on.",
    "analysis.approved": "Somebody let it pass a gate.",
    "analysis.promoted": "It has all of the traffic: proven, in time, or because somebody said so.",
    "analysis.worse": "It is worse than what served before; by which evidence.",
    "analysis.stopped": "It ended without an answer.",
}


class State(StrEnum):
    """Where an analysis is; only the first is not final."""

    RUNNING = "running"
    PROMOTED = "promoted"
    WORSE = "worse"
    STOPPED = "stopped"


class Wish(StrEnum):
    """What somebody wants of it that it has not done yet."""

    NOTHING = ""
    PROMOTE = "promote"
