"""Shapes of the log at the API."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from steerway.platform.log.models import Event


class EventOut(BaseModel):
    """One entry of the log."""

    model_config = ConfigDict(from_attributes=True)

    seq: int
    id: UUID
    at: datetime
    actor: str
    type: str
    subject: str
    service: str
    environment: str
    data: dict[str, Any]
    hash: str

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        """The entry, its data decoded."""
        return cls(
            seq=event.seq,
            id=event.id,
            at=event.at,
            actor=event.actor,
            type=event.type,
            subject=event.subject,
            service=event.service,
            environment=event.environment,
            data=json.loads(event.data),
            hash=event.hash,
        )


class VerdictOut(BaseModel):
    """What a check of the chain found."""

    model_config = ConfigDict(from_attributes=True)

    entries: int
    head: str
    bad: int | None
    reason: str
