"""Reading people and tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from steerway.platform.identity.errors import CodeUnknown, LinkSpent, PersonUnknown
from steerway.platform.identity.models import DeviceRequest, LoginLink, Token, User
from steerway.platform.identity.rules import DeviceState, Role, digest, is_token, tidy_user_code
from steerway.platform.work import Actor, Work

# More people than this do not use one Steerway; lists end here.
PEOPLE_ROWS_MAX = 1000
TOKEN_ROWS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Factors:
    """How a person can prove who they are."""

    password: bool
    app: bool
    passkeys: int
    codes: bool


def person(name: str) -> User:
    """The person of that name.

    Raises:
        PersonUnknown: nobody has it.
    """
    found = User.objects.filter(username=name).first()
    if found is None:
        raise PersonUnknown(name=name)
    return found


def everybody(work: Work) -> list[User]:
    """All people, by name. For those who manage people."""
    work.allow("people.manage")
    return list(User.objects.order_by("username")[:PEOPLE_ROWS_MAX])


def is_empty() -> bool:
    """Whether nobody is known yet."""
    return not User.objects.exists()


def live_tokens(now: datetime) -> QuerySet[Token]:
    """Tokens that still work."""
    live = Q(revoked_at=None, expires_at__gt=now, owner__is_active=True)
    return Token.objects.filter(live).select_related("owner").order_by("owner__username", "name")


def tokens_of(owner: str, now: datetime) -> list[Token]:
    """The live tokens of a person, by name."""
    return list(live_tokens(now).filter(owner__username=owner)[:TOKEN_ROWS_MAX])


def tokens_seen_by(work: Work) -> list[Token]:
    """The live tokens the actor may see: all of them, or their own."""
    if work.actor.may("tokens.manage"):
        return list(live_tokens(work.now)[:TOKEN_ROWS_MAX])
    work.allow("tokens.create")
    return tokens_of(owner_name(work.actor), work.now)


def bearer(secret: str, now: datetime) -> Token | None:
    """The live token with this secret, if there is one.

    The hash is looked up, so the time taken tells nothing about the secret.
    """
    if not is_token(secret):
        return None
    return live_tokens(now).filter(digest=digest(secret)).first()


def open_link(secret: str, now: datetime) -> LoginLink:
    """The sign-in link with this secret, which can still be used.

    Raises:
        LinkSpent: it is used, expired or was never made.
    """
    unused = LoginLink.objects.filter(used_at=None, expires_at__gt=now, user__is_active=True)
    link = unused.select_related("user").filter(digest=digest(secret)).first()
    if link is None:
        raise LinkSpent
    return link


def waiting_device(code: str, now: datetime) -> DeviceRequest:
    """The device that waits for approval with this code.

    Raises:
        CodeUnknown: none does.
    """
    tidy = tidy_user_code(code)
    waiting = DeviceRequest.objects.filter(state=DeviceState.PENDING.value, expires_at__gt=now)
    device = waiting.filter(user_code=tidy).first()
    if device is None:
        raise CodeUnknown(code=tidy)
    return device


def person_actor(user: User, grants: Mapping[str, Role]) -> Actor:
    """The actor of a signed-in person."""
    return Actor(name=user.username, role=user.as_role, grants=grants)


def token_actor(token: Token, grants: Mapping[str, Role]) -> Actor:
    """The actor of a program with a token: `alice/ci`."""
    name = f"{token.owner.username}/{token.name}"
    return Actor(
        name=name, role=token.allowed_role, grants=grants, scopes=tuple(map(str, token.scopes))
    )


def owner_name(actor: Actor) -> str:
    """The person behind an actor: `alice` behind `alice/ci`."""
    return actor.name.partition("/")[0]
