"""Shapes of changes and holds at the API."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class ChangeOut(BaseModel):
    """One change."""

    model_config = ConfigDict(from_attributes=True)

    ref: str
    kind: str
    service: str
    environment: str
    summary: str
    why: str
    emergency: bool
    requested_by: str
    opened_at: datetime
    state: str
    closed_at: datetime | None
    outcome: str
    facts: dict[str, Any]


class HoldOut(BaseModel):
    """One hold or freeze in force."""

    model_config = ConfigDict(from_attributes=True)

    ref: str
    brake: str
    service: str
    reason: str
    placed_by: str
    placed_at: datetime


class HoldIn(BaseModel):
    """A hold to place."""

    service: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    reason: Reason


class FreezeIn(BaseModel):
    """A freeze to start."""

    reason: Reason
