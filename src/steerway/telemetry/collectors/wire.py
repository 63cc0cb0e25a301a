"""Collectors as JSON."""

from datetime import datetime

from pydantic import BaseModel, Field

from steerway.telemetry.collectors.queries import Collector
from steerway.telemetry.collectors.rules.board import Looked

LOOKS_SHOWN: int = 100


class LookOut(BaseModel):
    """The last look at one thing."""

    what: str
    at: datetime
    seconds: float
    samples: int
    error: str = Field(description="Empty when it went well.")
    late: int = Field(description="Looks left out because the one before was still going on.")

    @classmethod
    def of(cls, one: Looked) -> "LookOut":
        """One look."""
        return cls(
            what=one.what,
            at=one.at,
            seconds=round(one.seconds, 4),
            samples=one.samples,
            error=one.error,
            late=one.late,
        )


class CollectorOut(BaseModel):
    """One collector, as this server knows it."""

    name: str
    description: str
    paused_at: datetime | None
    paused_by: str
    reason: str
    looks: list[LookOut]

    @classmethod
    def of(cls, one: Collector) -> "CollectorOut":
        """What fails comes first."""
        looks = sorted(one.looks, key=lambda look: not look.error)
        return cls(
            name=one.name,
            description=one.description,
            paused_at=one.paused.paused_at if one.paused else None,
            paused_by=one.paused.paused_by if one.paused else "",
            reason=one.paused.reason if one.paused else "",
            looks=[LookOut.of(look) for look in looks[:LOOKS_SHOWN]],
        )


class CollectorPauseIn(BaseModel):
    """Why it is paused."""

    reason: str = Field(default="", max_length=500)
