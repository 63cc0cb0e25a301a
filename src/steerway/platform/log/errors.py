"""What the log refuses."""

from steerway.platform.errors import Invalid


class TimeUnreadable(Invalid):
    """The moment given cannot be read."""

    message = "{value} is not a moment. Write 2026-03-01T09:00Z, or an age such as 90m or 7d."
