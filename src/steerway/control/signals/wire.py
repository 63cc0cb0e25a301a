"""Markers as JSON."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class MarkerOut(BaseModel):
    """A moment at which something changed."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    label: str
    url: str = Field(description="The page about it.")
    tone: str = Field(description="brand, good, warn or bad.")
    service: str
    environment: str


class MarkersOut(BaseModel):
    """What changed in a time, newest first; at most sixty."""

    markers: list[MarkerOut]
