"""What collectors refuse, and why one fails."""

from steerway.platform.errors import NotFound, Refused, Unavailable


class CollectorUnknown(NotFound):
    """There is none of that name."""

    message = "There is no collector {name}. There are: {known}."


class CollectorPaused(Refused):
    """Somebody has paused it before."""

    message = "{name} is already paused, by {by}. `steerway telemetry resume {name}` ends that."


class CollectorRuns(Refused):
    """It is not paused."""

    message = "{name} is not paused."


class LookFailed(Unavailable):
    """What a collector looks at does not let itself be looked at."""

    message = "{what} cannot be looked at: {why}."
