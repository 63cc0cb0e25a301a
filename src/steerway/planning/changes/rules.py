"""Kinds, states and names of changes. Pure."""

from enum import StrEnum
from typing import Final

DIGITS_MAX: Final = 18  # what a column of numbers holds


class Kind(StrEnum):
    """What is altered."""

    DESCRIPTOR = "descriptor"
    DEPLOYMENT = "deployment"
    ROLLBACK = "rollback"


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


def number_of(ref: str) -> int:
    """The number in `CHG-12`, `chg-12` or `12`; 0, which nothing has, when there is none."""
    digits = ref.rpartition("-")[2]
    return int(digits) if digits.isdecimal() and len(digits) <= DIGITS_MAX else 0
