"""What needs somebody, and in which order. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

# What is broken comes before what is held back.
ORDER: Final = ("bad", "warn", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that waits for somebody. `kind` and `name` say where it is looked after."""

    tone: str
    icon: str
    title: str
    detail: str
    kind: str
    name: str
    at: datetime | None
    by: str = ""


def in_order(needs: Iterable[Need]) -> list[Need]:
    """The worst first, then the newest."""
    return sorted(
        needs, key=lambda one: (ORDER.index(one.tone), -(one.at.timestamp() if one.at else 0))
    )
