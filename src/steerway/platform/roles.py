"""Roles, and what a token's scopes cover. Pure; below everything that asks for permission."""

from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase


class Role(StrEnum):
    """What a person is here for; each includes the ones before it."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


def in_scope(permission: str, scopes: Iterable[str]) -> bool:
    """Whether one of a token's scopes (`*`, `deployments.*`, `deployments.start`) covers it."""
    return any(fnmatchcase(permission, scope) for scope in scopes)
