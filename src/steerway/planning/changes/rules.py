"""Kinds, states and names of changes. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

EVENTS: Final[Mapping[str, str]] = {
    "change.opened": "Somebody is about to alter something; what, and why.",
    "change.implemented": "A change is made.",
    "change.failed": "A change was tried and is not made; why not.",
    "change.cancelled": "A change was given up before it was made.",
    "hold.placed": "Changes of one service do not start until it is lifted.",
    "hold.lifted": "Changes of the service may start again.",
    "freeze.placed": "No change starts until it is lifted, except rollbacks and emergencies.",
    "freeze.lifted": "Changes may start again.",
}


class Kind(StrEnum):
    """What is altered."""

    DESCRIPTOR = "descriptor"
    DEPLOYMENT = "deployment"
    ROLLBACK = "rollback"
    FLAG = "flag"


class State(StrEnum):
    """Where a change is; only the first is not final."""

    OPEN = "open"
    IMPLEMENTED = "implemented"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Brake(StrEnum):
    """A hold concerns one service; a freeze concerns all."""

    HOLD = "hold"
    FREEZE = "freeze"


def change_ref(number: int) -> str:
    """How people call a change."""
    return f"CHG-{number}"


def hold_ref(number: int) -> str:
    """How people call a hold."""
    return f"HLD-{number}"
