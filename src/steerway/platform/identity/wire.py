"""Shapes of people, tokens and sign-ins at the API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Short = Annotated[str, StringConstraints(max_length=60)]
Scope = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class MeOut(BaseModel):
    """Who the server thinks is asking."""

    name: str
    role: str
    scopes: list[str]
    permissions: list[str]


class PersonOut(BaseModel):
    """One person."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(validation_alias="username")
    role: str
    active: bool = Field(validation_alias="is_active")
    last_signed_in_at: datetime | None = Field(validation_alias="last_login")


class PersonIn(BaseModel):
    """A person to invite."""

    name: Short
    role: Short = "viewer"


class PersonChange(BaseModel):
    """What to change of a person; what is missing stays."""

    role: Short | None = None
    active: bool | None = None


class LinkOut(BaseModel):
    """A sign-in link. It is given once."""

    name: str
    url: str


class TokenOut(BaseModel):
    """One token, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    owner: str
    name: str
    prefix: str
    role: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class TokenMade(TokenOut):
    """A new token with its secret, which is given once."""

    secret: str


class TokenIn(BaseModel):
    """A token to make."""

    name: Short
    days: Annotated[int, Field(ge=1, le=365)] = 90
    owner: Short = ""
    role: Short = ""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=50)] = ["*"]


class DeviceOut(BaseModel):
    """What a command line shows and polls with. Source: RFC 8628, 3.2."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class DeviceToken(BaseModel):
    """The token of an approved request. Source: RFC 6749, 5.1."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 -- the kind, not a secret
    expires_in: int
    name: str


class DeviceProblem(BaseModel):
    """Why there is no token, or not yet. Source: RFC 8628, 3.5."""

    error: str
    error_description: str = ""
