"""Making and revoking tokens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from steerway.platform.identity import queries
from steerway.platform.identity.errors import (
    BeyondOwn,
    ExpiryInvalid,
    NameInvalid,
    OwnerMissing,
    PersonDisabled,
    RoleUnknown,
    ScopeUnknown,
    TokenNameTaken,
    TokenUnknown,
    TooManyTokens,
)
from steerway.platform.identity.models import Token, User
from steerway.platform.identity.rules import (
    NAME,
    TOKEN_DAYS_MAX,
    TOKEN_PREFIX_LENGTH,
    TOKENS_MAX,
    USED_EVERY,
    Role,
    digest,
    in_scope,
    lesser,
    new_token,
    unknown_scopes,
)
from steerway.platform.work import Actor, Work


def create(
    work: Work,
    *,
    name: str,
    days: int,
    owner: str = "",
    role: str = "",
    scopes: Sequence[str] = ("*",),
) -> tuple[Token, str]:
    """A new token and its secret, which is never shown again.

    Raises:
        BeyondOwn: it would be allowed more than its maker or its owner.
        ScopeUnknown: a scope covers no permission.
        ExpiryInvalid: it would live longer than a year, or not at all.
        TokenNameTaken: the owner has a live token of that name.
    """
    work.allow("tokens.create")
    person = _owner(work, owner)
    if not NAME.fullmatch(name):
        raise NameInvalid(name=name)
    if not 1 <= days <= TOKEN_DAYS_MAX:
        raise ExpiryInvalid(days=days, most=TOKEN_DAYS_MAX)
    wanted = _role(work.actor, person, role)
    _check_scopes(work.actor, scopes)
    _make_room(person, name, work.now)
    secret = new_token()
    token = Token(
        owner=person,
        name=name,
        role=wanted.value,
        scopes=list(scopes),
        digest=digest(secret),
        prefix=secret[:TOKEN_PREFIX_LENGTH],
        created_at=work.now,
        expires_at=work.now + timedelta(days=days),
    )
    _save(token)
    work.record(
        "token.created",
        f"{person.username}/{name}",
        role=wanted.value,
        scopes=list(scopes),
        expires=token.expires_at.isoformat(),
    )
    return token, secret


def revoke(work: Work, token_id: UUID) -> Token:
    """The token, which stops working now.

    Raises:
        TokenUnknown: there is none, or it is somebody else's and the actor may not manage tokens.
    """
    seen = Token.objects.select_related("owner").filter(pk=token_id, revoked_at=None)
    if not work.actor.may("tokens.manage"):
        work.allow("tokens.create")
        seen = seen.filter(owner__username=queries.owner_name(work.actor))
    token = seen.first()
    if (
        token is None
        or Token.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=work.now) != 1
    ):
        raise TokenUnknown(token=token_id)
    work.record("token.revoked", f"{token.owner.username}/{token.name}")
    return token


def give_up(work: Work, secret: str) -> None:
    """Revoke the token with this secret. Whoever has the secret may, whatever its scopes."""
    token = queries.bearer(secret, work.now)
    if token and Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=work.now):
        work.record("token.revoked", f"{token.owner.username}/{token.name}")


def touch(token: Token, now: datetime) -> None:
    """Note that the token was used, to within a few minutes."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USED_EVERY:
        Token.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _owner(work: Work, name: str) -> User:
    own = queries.owner_name(work.actor)
    if not name and not NAME.fullmatch(own):
        raise OwnerMissing(actor=own)
    if name and name != own:
        work.allow("tokens.manage", on=name)
    person = queries.person(name or own)
    if not person.is_active:
        raise PersonDisabled(name=person.username)
    return person


def _role(actor: Actor, owner: User, text: str) -> Role:
    most = lesser(actor.role, owner.as_role)
    try:
        wanted = Role(text) if text else most
    except ValueError as error:
        raise RoleUnknown(role=text) from error
    if not most.includes(wanted):
        raise BeyondOwn(actor=actor.name, what=f"the role {wanted}", limit=most)
    return wanted


def _check_scopes(actor: Actor, scopes: Sequence[str]) -> None:
    unknown = unknown_scopes(scopes, actor.grants)
    if unknown or not scopes:
        raise ScopeUnknown(scopes=", ".join(unknown) or "no scope at all")
    # A scope is covered when its own text is: `deployments.*` by `*`, but not by two of its verbs.
    beyond = [scope for scope in scopes if not in_scope(scope, actor.scopes)]
    if beyond:
        raise BeyondOwn(
            actor=actor.name, what=", ".join(beyond), limit=", ".join(actor.scopes) or "nothing"
        )


def _make_room(owner: User, name: str, now: datetime) -> None:
    """Let an expired token give its name free, and keep the number of live ones bounded."""
    unrevoked = Token.objects.filter(owner=owner, revoked_at=None)
    unrevoked.filter(name=name, expires_at__lte=now).update(revoked_at=now)
    if unrevoked.filter(expires_at__gt=now).count() >= TOKENS_MAX:
        raise TooManyTokens(owner=owner.username, most=TOKENS_MAX)


def _save(token: Token) -> None:
    try:
        with transaction.atomic():
            token.save(force_insert=True)
    except IntegrityError as error:
        raise TokenNameTaken(owner=token.owner.username, name=token.name) from error
