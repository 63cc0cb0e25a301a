"""What the log refuses."""

from steerway.platform.errors import Invalid, NotFound


class TimeUnreadable(Invalid):
    """The moment given cannot be read."""

    message = "{value} is not a moment. Write 2026-03-01T09:00Z, or an age such as 90m or 7d."


class EntryUnknown(NotFound):
    """No entry has this number."""

    message = "The log has no entry {seq}. `steerway log` shows the newest."
