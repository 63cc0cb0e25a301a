"""What secrets refuse."""

from steerway.platform.errors import Invalid, NotFound, Refused, Unavailable


class SecretUnknown(NotFound):
    """There is no such secret to remove."""

    message = "There is no secret {name} {scope}. `steerway secret list` shows the names."


class SecretsMissing(Refused):
    """The service needs secrets that nobody has set."""

    message = (
        "{service} in {environment} needs {names}, which nobody has set. "
        "Set each with `steerway secret set NAME --service {service} --env {environment}`."
    )


class SecretNameInvalid(Invalid):
    """The name does not have the form of a name."""

    message = (
        "{name!r} cannot be the name of a secret: lower-case letters, digits, dots and dashes, "
        "at most 64, starting with a letter."
    )


class ValueInvalid(Invalid):
    """The value cannot be a secret."""

    message = "The value of {name} {problem}."


class Unsealable(Unavailable):
    """A stored value was sealed with a key that is not there, or was changed since."""

    message = (
        "The secret {name} does not open: its key is another one, or it was changed. "
        "Bring keys/secrets.key back, or set the secret again."
    )
