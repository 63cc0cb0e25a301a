"""What to do about a replica or a helper process that is not as it should be. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

EVENTS: Final[Mapping[str, str]] = {
    "replica.restored": "A wanted replica was not known to supervisord and was started again.",
    "router.restarted": "The router had ended and runs again.",
    "router.upgraded": "The installed router has taken over from an older one.",
    "supervisor.restarted": "supervisord had ended and runs again; programs were adopted.",
    "server.started": "The server has started.",
}


class Finding(StrEnum):
    """How a program compares with what is wanted."""

    AS_WANTED = "as wanted"
    MISSING = "missing"
    ASLEEP = "asleep"
    SURPLUS = "surplus"


def compare(*, wanted: bool, known: bool, started: bool) -> Finding:
    """What is the matter with one program.

    `known`: supervisord has it. `started`: supervisord was told to run it, whether it does or
    is waiting to try again.
    """
    if wanted and not known:
        return Finding.MISSING
    if wanted and not started:
        return Finding.ASLEEP
    if not wanted and started:
        return Finding.SURPLUS
    return Finding.AS_WANTED
