"""Shapes of secrets at the API. A value only ever goes in."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, SecretStr


class SecretOut(BaseModel):
    """One secret, without its value."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    service: str
    environment: str
    version: int
    updated_at: datetime
    updated_by: str


class SecretIn(BaseModel):
    """The new value of a secret."""

    value: SecretStr


class RotatedOut(BaseModel):
    """What a change of the key did."""

    resealed: int
