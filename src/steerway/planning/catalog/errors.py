"""What the catalog refuses."""

from steerway.platform.errors import Invalid, NotFound, Refused


class ServiceUnknown(NotFound):
    """The catalog has no such service."""

    message = "There is no service {service}. `steerway apply` adds the one in steerway.yaml."


class EnvironmentUnknown(NotFound):
    """The service declares no such environment."""

    message = "{service} has no environment {environment}. It has: {known}."


class OtherService(Invalid):
    """The descriptor is about another service than the address."""

    message = "The descriptor is of {found}, not of {service}. Send it to that service."


class OnOtherServer(Refused):
    """The service lives on another server that shares the database."""

    message = (
        "{service} lives on another server ({node}), which has its files and runs it. "
        "Apply it there; from here it can be deployed, paused and watched."
    )


class AlreadyPaused(Refused):
    """Somebody has paused it before."""

    message = "{service} is paused already by {by}: {reason}. `steerway resume {service}` ends it."


class NotPaused(Refused):
    """There is no pause to end."""

    message = "{service} is not paused."
