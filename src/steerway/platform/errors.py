"""What Steerway says when it will not or cannot: five kinds, one sentence each.

A process subclasses a kind in its `errors.py`. The sentence says what and what next; the
fields carry what machines need. Each edge translates a kind once: problem JSON, a page, or
an exit code. Anything else that is raised is a bug.
"""

import re
from typing import ClassVar


class SteerwayError(Exception):
    """An answer of no, with a sentence for people and fields for machines."""

    message: ClassVar[str]

    def __init__(self, **fields: object) -> None:
        """Fill `message` with `fields`, which stay readable as `.fields`."""
        self.fields = fields
        super().__init__(self.message.format(**fields))

    @classmethod
    def code(cls) -> str:
        """The stable name of this error: `NotAllowed` is `not-allowed`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


class Forbidden(SteerwayError):
    """The actor may not do this."""

    message = "{actor} may not {permission}. Ask somebody with the role {role}."


class OutOfScope(Forbidden):
    """The role would do, but the token was made for less."""

    message = "{actor} may not {permission}: its scopes leave it out. Make a token with {scope}."


class NotFound(SteerwayError):
    """The thing named does not exist."""

    message = "There is no {kind} {name}."


class Refused(SteerwayError):
    """The request is well formed, but the state of things does not allow it now."""

    message = "{reason}"


class Invalid(SteerwayError):
    """The input is wrong; the sentence says where and what was expected."""

    message = "{reason}"


class Unavailable(SteerwayError):
    """Something outside does not answer; trying again later may work."""

    message = "{what} does not answer. {hint}"
