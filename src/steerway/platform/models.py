"""The tables of this area, process by process."""

from steerway.platform.identity.models import User
from steerway.platform.log.models import Event, Head

__all__ = ["Event", "Head", "User"]
