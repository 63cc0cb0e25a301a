"""The tables of this area, process by process."""

from steerway.planning.catalog.models import Environment, Service
from steerway.planning.changes.models import Change, Hold

__all__ = ["Change", "Environment", "Hold", "Service"]
