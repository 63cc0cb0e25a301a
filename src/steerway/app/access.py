"""Who asks where Django does not: the same doors as everywhere.

A token comes as a bearer, or as the password of clients that know nothing else.
"""

import base64
import binascii
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Final

from a2wsgi.asgi_typing import HTTPScope
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from steerway.app.asgi import LOCAL
from steerway.app.intake import Writer
from steerway.app.permissions import PERMISSIONS
from steerway.delivery.runtimes import queries as runtimes
from steerway.platform import clock
from steerway.platform.db import reading
from steerway.platform.identity import queries, tokens
from steerway.platform.identity.models import User
from steerway.platform.identity.rules import digest, is_token
from steerway.platform.roles import Role
from steerway.platform.work import Actor

WRITE: Final = "telemetry.write"


def may_read(scope: HTTPScope) -> bool:
    """True at the local door, and for a session of somebody active."""
    if scope["client"] == (LOCAL, 0):
        return True
    with reading():
        return _person(scope) is not None


def may(permission: str, scope: HTTPScope) -> bool:
    """Whether the asker is somebody who may do this."""
    actor = actor_of(scope)
    return actor is not None and actor.may(permission)


def writer(scope: HTTPScope) -> Writer | None:
    """What telemetry the asker may write; None when nobody is known by what they sent.

    A replica is known here and nowhere else.
    """
    actor = actor_of(scope) or _replica(scope)
    if actor is None:
        return None
    if actor.may(WRITE):
        return Writer(may=True)
    bound = [one for one in actor.scopes if one.startswith(f"{WRITE}@")]
    if len(bound) != 1 or not actor.role.includes(actor.grants[WRITE]):
        return Writer(may=False)
    service, _, environment = bound[0].partition("@")[2].partition("/")
    return Writer(may=True, place=(service, environment))


def actor_of(scope: HTTPScope) -> Actor | None:
    """Who asks: the owner at the local door, a token, or a person by their session."""
    if scope["client"] == (LOCAL, 0):
        return Actor(name=LOCAL, role=Role.ADMIN, grants=PERMISSIONS)
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    with reading():
        if header:
            return _bearer(_secret(header))
        person = _person(scope)
        return None if person is None else queries.person_actor(person, PERMISSIONS)


def _secret(header: str) -> str:
    """The token in an Authorization header."""
    kind, _, rest = header.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    try:
        user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password or user


def _bearer(secret: str) -> Actor | None:
    now = clock.now()
    token = queries.bearer(secret, now)
    if token is None:
        return None
    tokens.touch(token, now)
    return queries.token_actor(token, PERMISSIONS)


def _replica(scope: HTTPScope) -> Actor | None:
    """A replica by the token that it was started with."""
    secret = _secret(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))
    if not is_token(secret):
        return None
    with reading():
        found = runtimes.sender(digest(secret))
    if found is None:
        return None
    place = f"{WRITE}@{found.service}/{found.environment}"
    return Actor(name=found.program, role=Role.DEVELOPER, grants=PERMISSIONS, scopes=(place,))


def _person(scope: HTTPScope) -> User | None:
    """The active person whose session this is."""
    cookies = SimpleCookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    if session is None:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session.value)
    user = get_user(request)
    return user if isinstance(user, User) and user.is_active else None
