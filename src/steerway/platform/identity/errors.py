"""What identity refuses."""

from steerway.platform.errors import Forbidden, Invalid, NotFound, Refused


class PersonUnknown(NotFound):
    """Nobody has this name."""

    message = "There is no person {name}. `steerway user list` shows everybody."


class NameTaken(Refused):
    """Somebody has this name already."""

    message = "The name {name} is taken. Choose another, or make a link for them."


class NameInvalid(Invalid):
    """The name does not have the form of a name."""

    message = (
        "{name!r} cannot be a name: it starts with a lower-case letter and continues with at most "
        "39 lower-case letters, digits, dots, dashes or underscores."
    )


class RoleUnknown(Invalid):
    """There is no such role."""

    message = "There is no role {role!r}. The roles are viewer, developer, operator and admin."


class LastAdmin(Refused):
    """The only active admin would be lost."""

    message = "{name} is the last admin. Give somebody else the role admin first."


class PersonDisabled(Refused):
    """The person has been disabled."""

    message = "{name} is disabled. Enable them first."


class LinkSpent(NotFound):
    """The sign-in link is used, expired or was never made."""

    message = "This sign-in link has been used or has expired. Ask an admin for another one."


class TokenUnknown(NotFound):
    """There is no such token, or it belongs to somebody else."""

    message = "There is no token {token}. `steerway token list` shows the live ones."


class TokenNameTaken(Refused):
    """The owner has a live token of this name."""

    message = "{owner} has a token named {name} already. Revoke it first, or choose another name."


class TooManyTokens(Refused):
    """The owner has as many live tokens as one may have."""

    message = "{owner} has {most} live tokens. Revoke one first."


class ScopeUnknown(Invalid):
    """A scope is malformed or covers no permission."""

    message = (
        "No permission is covered by {scopes}. Write a permission, an area as deployments.*, or *."
    )


class ExpiryInvalid(Invalid):
    """The life of the token is out of bounds."""

    message = "A token lives from 1 to {most} days, got {days}."


class BeyondOwn(Forbidden):
    """The token would be allowed more than its maker or owner."""

    message = "{actor} may not make a token with {what}: it would be allowed more than {limit}."


class OwnerMissing(Invalid):
    """The machine's own user owns no tokens."""

    message = "Say whose token it is: {actor} is the machine's own user and owns none."


class CodeUnknown(NotFound):
    """No device waits with this code."""

    message = "No device waits with the code {code}. Run `steerway login` again."


class TooOften(Refused):
    """The limit of tries is reached."""

    message = "Too many tries. Wait {seconds} seconds and try again."
