"""The tables of this area, process by process."""

from steerway.platform.identity.models import DeviceRequest, LoginLink, Token, User
from steerway.platform.log.models import Event, Head
from steerway.platform.numbers.models import Series
from steerway.platform.secrets.models import Secret

__all__ = [
    "DeviceRequest",
    "Event",
    "Head",
    "LoginLink",
    "Secret",
    "Series",
    "Token",
    "User",
]
