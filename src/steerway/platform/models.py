"""The tables of this area, process by process."""

from steerway.platform.identity.models import User
from steerway.platform.log.models import Event, Head
from steerway.platform.numbers.models import Series

__all__ = ["Event", "Head", "Series", "User"]
