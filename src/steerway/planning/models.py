"""The tables of this area, process by process."""

from steerway.planning.changes.models import Change, Hold

__all__ = ["Change", "Hold"]
