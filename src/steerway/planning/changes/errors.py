"""What changes refuse."""

from steerway.platform.errors import NotFound, Refused


class Held(Refused):
    """Changes are on hold."""

    message = (
        "{target} is on hold: {reason} ({ref}, by {by}). "
        "Lift the hold, or deploy with --emergency and a reason."
    )


class ChangeUnknown(NotFound):
    """No such change."""

    message = "There is no change {ref}. `steerway changes` lists them."


class HoldUnknown(NotFound):
    """No such hold, or it was lifted."""

    message = "There is no open hold {ref}. `steerway holds` lists them."


class AlreadyFrozen(Refused):
    """Changes are frozen already."""

    message = "Changes are frozen already: {reason} ({ref}, by {by})."


class NotFrozen(Refused):
    """There is no freeze to end."""

    message = "Changes are not frozen."


class ReasonMissing(Refused):
    """An emergency needs a reason."""

    message = "An emergency change needs a reason. Say it with --why."
