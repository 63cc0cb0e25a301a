"""What rollouts refuse."""

from steerway.platform.errors import Invalid, Refused


class StepsInvalid(Invalid):
    """The steps of a rollout cannot be read, or do not rise."""

    message = "{steps} are no steps of a rollout: {problem}."


class RolloutRunning(Refused):
    """One rollout at a time."""

    message = "{flag} is being rolled out in {environment} already ({change}). Stop that first."


class NoRollout(Refused):
    """There is nothing to stop."""

    message = "{flag} is not being rolled out in {environment}."
