"""Why a build does not happen, or has failed."""

from steerway.platform.errors import NotFound, Refused, Unavailable


class BuildUnknown(NotFound):
    """There is no build with this id."""

    message = "There is no build {id}."


class BuildFailed(Refused):
    """A command of the build did not succeed. `last_lines` is the end of its log."""

    message = "The build of {service} {name} failed: {reason}. The whole log: {log}."


class BuildCancelled(Refused):
    """Somebody stopped it."""

    message = "The build of {service} {name} was cancelled."


class StepFailed(Refused):
    """One command of a build: what it was, and why it is not good."""

    message = "{command} {reason}"


class SourceUnready(Refused):
    """The files cannot be built as they are."""

    message = "{reason}"


class Stopped(Refused):
    """A running command was cancelled."""

    message = "{command} was cancelled"


class Overtaken(Refused):
    """Another server took the build over, because this one was silent for too long."""

    message = "Another server builds {name} now."


class DiskFull(Unavailable):
    """There is no room for a build."""

    message = (
        "The disk of {home} is full: {free} MB are left and a build needs {needed} MB. "
        "Free some space, or keep fewer releases (release.keep), and deploy again."
    )


class NotAllowed(Refused):
    """The build cannot go there from here."""

    message = "Build {id} is {state}; it cannot become {wanted}."
