"""The one translator of errors for pages: a sentence, the next step, and the right status."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.contrib import messages
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme

from steerway.platform import clock
from steerway.platform.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    SteerwayError,
    Unavailable,
)


@dataclass(frozen=True, slots=True)
class Face:
    """How one kind of error looks."""

    status: int
    title: str
    picture: str


FACES: Final[dict[type[SteerwayError], Face]] = {
    Forbidden: Face(403, "Not for your role", "shield"),
    NotFound: Face(404, "Not found", "search"),
    Refused: Face(409, "Not now", "hold"),
    Invalid: Face(422, "That cannot be read", "warn"),
    Unavailable: Face(503, "No answer", "pulse"),
}
BUG: Final = Face(500, "Something broke", "warn")
WITH_A_BUG: Final = (
    "Steerway made a mistake and has changed nothing. The file log/server.log in its home says "
    "what broke."
)
DATABASE: Final = Face(503, "The database does not answer", "pulse")
WITHOUT_DATABASE: Final = (
    "Services and the router run on without it. Steerway goes on by itself when the database is "
    "back; the file log/server.log in its home says what is wrong."
)
API: Final = "/api/"


class Failures:
    """Middleware: what an action refuses becomes a page, or a message on the page one was on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand before the views."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The answer to an error of Steerway's kinds; bugs go on to the server."""
        if not isinstance(error, SteerwayError) or request.path.startswith(API):
            return None
        back = _back(request)
        if request.method == "POST" and back:
            # The answer is a redirect, which would otherwise keep what was half done.
            transaction.set_rollback(True)
            messages.error(request, str(error))
            return redirect(back)
        return page(request, error)


def page(request: HttpRequest, error: SteerwayError) -> HttpResponse:
    """The page that says what went wrong and what to do next."""
    face = next(FACES[kind] for kind in type(error).__mro__ if kind in FACES)
    return _page(request, face, str(error), error.code())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No view has this address. For `handler404`."""
    sentence = "There is no page at this address. Look for it with Ctrl\N{NO-BREAK SPACE}K."
    return _page(request, FACES[NotFound], sentence, "no-such-page")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django itself refused. For `handler403`."""
    sentence = "You may not see this page. Ask an admin for a role that may."
    return _page(request, FACES[Forbidden], sentence, "forbidden")


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token, or with an old one. For `CSRF_FAILURE_VIEW`."""
    sentence = "This form is too old, or came from elsewhere. Load the page again and repeat it."
    return _page(request, Face(403, "Form too old", "shield"), sentence, "csrf")


def broken(request: HttpRequest) -> HttpResponse:
    """A bug, or no database. For `handler500`.

    The page asks nobody for anything: not the session, not the database.
    """
    is_down = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    face = DATABASE if is_down else BUG
    context = {
        "title": face.title,
        "picture": face.picture,
        "status": face.status,
        "sentence": WITHOUT_DATABASE if is_down else WITH_A_BUG,
        "code": "database-down" if is_down else "bug",
        "theme": request.COOKIES.get("steerway_theme", ""),
        "now": clock.now(),
    }
    return HttpResponse(render_to_string("broken.html", context), status=face.status)


def _page(request: HttpRequest, face: Face, sentence: str, code: str) -> HttpResponse:
    context = {
        "title": face.title,
        "picture": face.picture,
        "status": face.status,
        "sentence": sentence,
        "code": code,
        "back": _back(request),
    }
    return render(request, "error.html", context, status=face.status)


def _back(request: HttpRequest) -> str:
    """The page of ours that one came from, if any."""
    referer = urlsplit(request.headers.get("Referer", ""))
    back = referer.path + (f"?{referer.query}" if referer.query else "")
    # A path that begins with two slashes leads to another host.
    is_ours = referer.netloc == request.get_host() and url_has_allowed_host_and_scheme(back, None)
    return back if is_ours else ""
