"""Shapes of releases at the API."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class ReleaseOut(BaseModel):
    """One release."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    service: str
    name: str
    commit: str
    subject: str
    author: str
    digest: str
    kind: str
    size_bytes: int
    notes: list[str]
    built_at: datetime
    removed_at: datetime | None
