"""Whether the asker of an event stream may see the log: the same doors as everywhere."""

from http.cookies import SimpleCookie
from importlib import import_module

from a2wsgi.asgi_typing import HTTPScope
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from steerway.app.asgi import LOCAL
from steerway.platform.db import reading


def may_read(scope: HTTPScope) -> bool:
    """True at the local door, and for a session of somebody active."""
    if scope["client"] == (LOCAL, 0):
        return True
    cookies = SimpleCookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    if session is None:
        return False
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session.value)
    with reading():
        return get_user(request).is_active
