"""Letting people in, changing what they may do, and showing them out."""

from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction

from steerway.platform.identity import queries
from steerway.platform.identity.errors import (
    LastAdmin,
    LinkSpent,
    NameInvalid,
    NameTaken,
    PersonDisabled,
    RoleUnknown,
)
from steerway.platform.identity.models import DeviceRequest, LoginLink, User
from steerway.platform.identity.rules import (
    FIRST_LINK_LASTS,
    LINK_LASTS,
    NAME,
    RESERVED,
    Role,
    digest,
    new_link_secret,
)
from steerway.platform.work import Work

# Spent links and device requests are kept this long for questions, then removed.
SPENT_KEPT = timedelta(days=7)
FIRST_ADMIN = "admin"


def first_link(work: Work) -> tuple[str, str]:
    """The first admin's name, and the path of a link that signs them in once.

    While there is no admin, the call makes one. It is how the machine's owner gets in.
    """
    work.allow("people.manage")
    admins = User.objects.filter(role=Role.ADMIN.value, is_active=True)
    admin = admins.order_by("id").first()
    if admin is None:
        admin = _add(FIRST_ADMIN, Role.ADMIN)
        work.record("user.invited", admin.username, role=Role.ADMIN.value, first=True)
    path = _link(work, admin, FIRST_LINK_LASTS)
    work.record("user.link-made", admin.username)
    return admin.username, path


def invite(work: Work, name: str, *, role: str) -> str:
    """A new person with a role; the path of the link that signs them in for the first time.

    Raises:
        NameInvalid: the name has the wrong form.
        NameTaken: somebody has it.
    """
    work.allow("people.manage")
    person = _add(name, _role(role))
    work.record("user.invited", person.username, role=person.role)
    return _link(work, person, LINK_LASTS)


def login_link(work: Work, name: str) -> str:
    """The path of a link that signs a person in once; earlier links of theirs stop working.

    It stands for the password, not for a second factor.
    """
    work.allow("people.manage")
    person = queries.person(name)
    if not person.is_active:
        raise PersonDisabled(name=name)
    path = _link(work, person, LINK_LASTS)
    work.record("user.link-made", name)
    return path


def use_link(work: Work, secret: str) -> User:
    """The person a link signs in. A link works once, whoever comes first.

    Raises:
        LinkSpent: it is used, expired or was never made.
    """
    link = queries.open_link(secret, work.now)
    unused = LoginLink.objects.filter(pk=link.pk, used_at=None)
    if unused.update(used_at=work.now) != 1:
        raise LinkSpent
    work.record("user.link-used", link.user.username, made_by=link.made_by)
    return link.user


def change_role(work: Work, name: str, *, role: str) -> User:
    """The person with the new role, which holds from their next request on.

    Raises:
        LastAdmin: there would be no admin left.
    """
    work.allow("people.manage")
    wanted = _role(role)
    person = queries.person(name)
    if wanted is not Role.ADMIN:
        _keep_an_admin(person)
    before, person.role = person.role, wanted.value
    person.save(update_fields=["role"])
    work.record("user.role-changed", name, before=before, after=wanted.value)
    return person


def disable(work: Work, name: str) -> User:
    """The person, who is signed out everywhere and whose links and tokens stop working.

    Raises:
        LastAdmin: there would be no admin left.
    """
    work.allow("people.manage")
    person = queries.person(name)
    _keep_an_admin(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    end_sessions(person)
    _spend_links(work, person)
    work.record("user.disabled", name)
    return person


def enable(work: Work, name: str) -> User:
    """The person, who may sign in again."""
    work.allow("people.manage")
    person = queries.person(name)
    person.is_active = True
    person.save(update_fields=["is_active"])
    work.record("user.enabled", name)
    return person


def clear_factors(work: Work, name: str) -> int:
    """Forget a person's passkeys, authenticator app and recovery codes; how many there were."""
    work.allow("people.manage")
    person = queries.person(name)
    removed = int(Authenticator.objects.filter(user=person).delete()[0])
    end_sessions(person)
    work.record("user.factors-cleared", name, removed=removed)
    return removed


def sign_out_everywhere(work: Work, *, keep: str = "") -> int:
    """End the actor's own sessions, all but the one with the key `keep`; how many."""
    ended = end_sessions(queries.person(queries.owner_name(work.actor)), keep=keep)
    work.record("user.sessions-ended", work.actor.name, sessions=ended)
    return ended


def end_sessions(person: User, *, keep: str = "") -> int:
    """End the sessions of a person, all but the one with the key `keep`; how many."""
    sessions = list(UserSession.objects.filter(user=person).exclude(session_key=keep))
    for session in sessions:
        session.end()
    return len(sessions)


def tidy(work: Work) -> None:
    """Remove ended sessions, and links and device requests that are long spent."""
    Session.objects.filter(expire_date__lt=work.now).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    before = work.now - SPENT_KEPT
    LoginLink.objects.filter(expires_at__lt=before).delete()
    DeviceRequest.objects.filter(expires_at__lt=before).delete()


def _add(name: str, role: Role) -> User:
    if not NAME.fullmatch(name):
        raise NameInvalid(name=name)
    if name in RESERVED:
        raise NameTaken(name=name)
    person = User(username=name, role=role.value)
    person.set_unusable_password()
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken(name=name) from error
    return person


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise RoleUnknown(role=text) from error


def _keep_an_admin(person: User) -> None:
    """Make sure an admin remains without this one. The rows stay locked until the commit."""
    admins = User.objects.select_for_update().filter(role=Role.ADMIN.value, is_active=True)
    names = {admin.username for admin in admins}
    if names == {person.username}:
        raise LastAdmin(name=person.username)


def _link(work: Work, person: User, lasts: timedelta) -> str:
    _spend_links(work, person)
    secret = new_link_secret()
    LoginLink.objects.create(
        user=person,
        digest=digest(secret),
        made_by=work.actor.name,
        made_at=work.now,
        expires_at=work.now + lasts,
    )
    return f"/link/{secret}"


def _spend_links(work: Work, person: User) -> None:
    LoginLink.objects.filter(user=person, used_at=None).update(used_at=work.now)
