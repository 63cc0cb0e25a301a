"""Roles, scopes, names and secrets: what they look like. Pure."""

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from steerway.platform.roles import Role as Role  # noqa: PLC0414 -- a word of identity too
from steerway.platform.roles import in_scope as in_scope  # noqa: PLC0414 -- the same

# A slash or a colon would let a name look like a token's (alice/ci) or the machine's (local:root).
NAME: Final = re.compile(r"[a-z][a-z0-9._-]{0,39}")
# Actors that are not people: nobody may sign the log as one of them.
RESERVED: Final = frozenset({"anonymous", "local", "steerway", "system", "unknown"})
# Only these shapes, so that one pattern covers another exactly when it matches its text. Asking
# for flags and sending telemetry may be bound to one service in one environment: their tokens
# lie on other machines.
SCOPE: Final = re.compile(
    r"\*|[a-z-]+\.(\*|[a-z-]+)|(flags\.evaluate|telemetry\.write)@[a-z0-9-]+/[a-z0-9-]+", re.ASCII
)

TOKEN_MARK: Final = "swy_"  # noqa: S105 -- what every token starts with
TOKEN_LETTERS: Final = string.ascii_letters + string.digits
TOKEN_SECRET_LENGTH: Final = 32  # 190 bits: nobody guesses it, so a fast hash is enough
TOKEN_CHECK_LENGTH: Final = 6  # CRC-32 in base 62
TOKEN_PREFIX_LENGTH: Final = len(TOKEN_MARK) + 6  # shown in lists, to recognise a token by
TOKEN_DAYS_MAX: Final = 365
TOKENS_MAX: Final = 50  # live tokens of one person
USED_EVERY: Final = timedelta(minutes=5)  # how coarse "last used" is

FIRST_LINK_LASTS: Final = timedelta(minutes=15)
LINK_LASTS: Final = timedelta(hours=24)

# Consonants without look-alikes: no words, nothing to misread. Source: RFC 8628, 6.1.
CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
CODE_LENGTH: Final = 8
DEVICE_LASTS: Final = timedelta(minutes=10)
DEVICE_INTERVAL: Final = timedelta(seconds=2)
DEVICE_SLOWER: Final = timedelta(seconds=5)  # Source: RFC 8628, 3.5
DEVICE_TOKEN_DAYS: Final = 90


EVENTS: Final[Mapping[str, str]] = {
    "user.invited": "Somebody was added with a role, and a link was made for them.",
    "user.joined": "Somebody signed on at the identity provider for the first time.",
    "user.link-made": "A sign-in link was made; earlier ones of the person stopped working.",
    "user.link-used": "A sign-in link was used.",
    "user.signed-in": "Somebody signed in; by which methods, and from where.",
    "user.sign-in-failed": "Somebody was not let in; at most one entry a minute.",
    "user.signed-out": "Somebody signed out.",
    "user.sessions-ended": "Somebody signed out everywhere else.",
    "user.role-changed": "Somebody got another role.",
    "user.disabled": "Somebody was shown out and is let in no more.",
    "user.enabled": "Somebody may sign in again.",
    "user.factors-cleared": "An admin made the server forget somebody's second factors.",
    "user.password-set": "Somebody chose a password.",
    "user.app-added": "Somebody set up an authenticator app.",
    "user.app-removed": "Somebody removed their authenticator app.",
    "user.passkey-added": "Somebody added a passkey.",
    "user.passkey-removed": "Somebody removed a passkey.",
    "user.codes-made": "Somebody made new recovery codes.",
    "token.created": "A token was made; its role, scopes and end.",
    "token.revoked": "A token stopped working.",
    "device.approved": "Somebody let a command line act for them.",
    "device.denied": "Somebody kept a command line out.",
}


class DeviceState(StrEnum):
    """Where a command line's request to sign in stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    CLAIMED = "claimed"


def unknown_scopes(scopes: Iterable[str], permissions: Iterable[str]) -> list[str]:
    """The scopes that are malformed or cover no permission at all."""
    known = list(permissions)
    return [
        scope
        for scope in scopes
        if not SCOPE.fullmatch(scope)
        or not any(fnmatchcase(name, scope.partition("@")[0]) for name in known)
    ]


def lesser(one: Role, other: Role) -> Role:
    """The one of two roles that may do less."""
    return other if one.includes(other) else one


def new_token() -> str:
    """A new token: mark, random letters, and a checksum that tells typing errors from guesses."""
    body = "".join(secrets.choice(TOKEN_LETTERS) for _ in range(TOKEN_SECRET_LENGTH))
    return f"{TOKEN_MARK}{body}{_check(body)}"


def is_token(text: str) -> bool:
    """Whether the text has the form of a token and its checksum holds."""
    body = text.removeprefix(TOKEN_MARK)
    secret, check = body[:TOKEN_SECRET_LENGTH], body[TOKEN_SECRET_LENGTH:]
    return text.startswith(TOKEN_MARK) and text.isascii() and check == _check(secret)


def _check(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    for _ in range(TOKEN_CHECK_LENGTH):
        number, place = divmod(number, len(TOKEN_LETTERS))
        letters = TOKEN_LETTERS[place] + letters
    return letters


def new_link_secret() -> str:
    """The secret part of a sign-in link."""
    return secrets.token_urlsafe(32)


def new_user_code() -> str:
    """A code for people to compare or type, as `WDJB-MJHT`."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return f"{letters[: CODE_LENGTH // 2]}-{letters[CODE_LENGTH // 2 :]}"


def tidy_user_code(typed: str) -> str:
    """The code that was meant by `wdjb mjht`."""
    letters = "".join(letter for letter in typed.upper() if letter in CODE_LETTERS)
    return f"{letters[: CODE_LENGTH // 2]}-{letters[CODE_LENGTH // 2 :]}"


def digest(secret: str) -> str:
    """What is stored of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def name_from(claim: str) -> str:
    """A name within our rules made from what an identity provider calls somebody."""
    cleaned = re.sub(r"[^a-z0-9._-]+", "-", claim.partition("@")[0].lower()).strip("-._0123456789")
    return "person" if cleaned in RESERVED else cleaned[:30] or "person"
