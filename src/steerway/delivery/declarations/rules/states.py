"""Where a flag is defined, what counts as debt, and the events. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

EVENTS: Final[Mapping[str, str]] = {
    "flag.declared": "A flag is there from now on; its owner and its last day.",
    "flag.redeclared": "A flag's variants, rules or owner are others; what was different.",
    "flag.retired": "A flag is no longer declared; its history stays.",
    "flag.exposed": "A variant reaches more or fewer users: a release without a deployment.",
    "flag.turned-off": "A flag is off for everybody in one environment; why, and on what evidence.",
    "flag.turned-on": "A flag that was off follows its rules again.",
    "flag.restored": "What was decided over the file is given up: the file holds again.",
}
FULL_FOR: Final = timedelta(days=14)  # after so long with everybody, the flag can leave the code
UNUSED_FOR: Final = timedelta(days=14)  # so long without an evaluation, nobody asks for it


class Origin(StrEnum):
    """Where a flag is defined; in one place only."""

    FILE = "file"
    STEERWAY = "steerway"


class Debt(StrEnum):
    """Why a flag should leave the code."""

    EXPIRED = "expired"
    NEVER_EVALUATED = "never evaluated"
    UNUSED = "not evaluated lately"
    FULL = "with everybody for long"


@dataclass(frozen=True, slots=True)
class Use:
    """What is known of one flag in one environment, as far as debt goes."""

    declared_at: datetime
    expires: date
    evaluated_at: datetime | None
    full_since: datetime | None


def debts(use: Use, now: datetime) -> list[Debt]:
    """Why the flag should leave the code by now; empty when it should not."""
    found = []
    if use.expires < now.date():
        found.append(Debt.EXPIRED)
    if use.evaluated_at is None and use.declared_at < now - UNUSED_FOR:
        found.append(Debt.NEVER_EVALUATED)
    if use.evaluated_at is not None and use.evaluated_at < now - UNUSED_FOR:
        found.append(Debt.UNUSED)
    if use.full_since is not None and use.full_since < now - FULL_FOR:
        found.append(Debt.FULL)
    return found
