"""What analyses refuse, and how they end a deployment."""

from steerway.platform.errors import Invalid, NotFound, Refused


class Worse(Refused):
    """The new version is worse than what served before."""

    message = "{version} is rolled back. {reason}"


class NotJudged(NotFound):
    """It has no analysis, or it has not begun."""

    message = (
        "{ref} is not being judged. `steerway watch {ref}` shows where it is; only a canary can be "
        "paused, approved or promoted."
    )


class Decided(Refused):
    """It is over."""

    message = "The analysis of {ref} has ended: {state}."


class StepUnclear(Invalid):
    """The step to approve is no share of the traffic."""

    message = "Say which step of {ref} is approved, in percent. Go back and press the button again."
