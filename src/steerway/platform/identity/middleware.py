"""What happens around every request: who asks, and one transaction.

Three ways to be somebody: a session, a token at the API (`Authorization: Bearer`), or the
local door, which only the owner of the home directory can open. Everybody else gets in only
where a view says so (`login_not_required`, or `STEERWAY_OPEN` for the API).
"""

import getpass
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, cast

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import DisallowedHost
from django.db import transaction
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseForbidden,
    JsonResponse,
)
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.cache import add_never_cache_headers
from django.utils.module_loading import import_string

from steerway.platform import clock
from steerway.platform.identity import queries, tokens
from steerway.platform.identity.models import User
from steerway.platform.roles import Role
from steerway.platform.web.request import SteerwayRequest
from steerway.platform.work import Actor, Starter, Work

Next = Callable[[HttpRequest], HttpResponseBase]

LOCAL: Final = "local"
ANONYMOUS: Final = "anonymous"
API: Final = "/api/"
READS: Final = {"GET", "HEAD", "OPTIONS", "TRACE"}
REFUSED: Final = 400  # from this status on nothing of a request is kept
BODY_BYTES_MAX: Final = 4 * 1024 * 1024  # the largest descriptor, written as escapes
# A zero byte in JSON: the backslash of its escape is not itself escaped.
ZERO: Final = re.compile(rb"\0|(?<!\\)(?:\\\\)*\\u0000")
FORM: Final = "application/x-www-form-urlencoded"
# Sessions live this much longer than a write of the session row is worth.
SLIDES_EVERY: Final = timedelta(minutes=5)


class WorkMiddleware:
    """Gives each request its `work`, and each change one transaction.

    A change is kept when the answer is a success; from status 400 on it is rolled back.
    Reading needs no transaction, so it never waits for a writer.
    """

    def __init__(self, get_response: Next) -> None:
        """Wrap what comes after."""
        self._next = get_response
        self._grants = cast("Mapping[str, Role]", import_string(settings.STEERWAY_GRANTS))
        self._starter = cast("Starter", import_string(settings.STEERWAY_STARTER))
        self._node = str(settings.STEERWAY_NODE)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, or the way to the sign-in."""
        try:
            request.get_host()
        except DisallowedHost:
            return _problem(400, "Nothing is here under this host name. STEERWAY_HOSTS adds one.")
        now = clock.now()
        if _sends_bearer(request):
            actor = _bearer_actor(request, self._grants, now)
            if actor is None:
                return _unknown("This token is not valid: revoked, expired or mistyped.")
        else:
            actor = _local_actor(request, self._grants)
            actor = actor or _session_actor(request, self._grants, now)
        if actor is None and not _is_open(request):
            return _sign_in(request)
        steerway = cast("SteerwayRequest", request)
        steerway.work = Work(
            actor=actor or Actor(ANONYMOUS, Role.VIEWER, self._grants, scopes=()),
            now=now,
            starter=self._starter,
            node=self._node,
        )
        return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return _no_text()
        if request.method in READS or request.path in settings.STEERWAY_NO_TRANSACTION:
            response = self._next(request)
        else:
            if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_BYTES_MAX:
                return _problem(413, f"At most {BODY_BYTES_MAX} bytes can be sent.")
            # Before the transaction: a slow sender must not hold the lock of the writers.
            is_form = request.content_type == FORM
            if b"%00" in request.body if is_form else ZERO.search(request.body):
                return _no_text()
            with transaction.atomic():
                response = self._next(request)
                if response.status_code >= REFUSED:
                    transaction.set_rollback(True)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(cast("HttpResponse", response))
        return response


class CsrfMiddleware(CsrfViewMiddleware):
    """Asks for the form token wherever a browser's cookie is what lets somebody in.

    That includes the API, whose views the framework exempts. A token or the local door is
    not sent by a browser unasked, so those need none.
    """

    def process_view(
        self,
        request: HttpRequest,
        callback: Callable[..., HttpResponseBase],
        callback_args: tuple[Any, ...],
        callback_kwargs: dict[str, Any],
    ) -> HttpResponseForbidden | None:
        """None when the request may go on."""
        if _sends_bearer(request) or is_local(request):
            return None
        if request.path.startswith(API) and request.user.is_authenticated:
            callback = _unexempted
        return super().process_view(request, callback, callback_args, callback_kwargs)

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponseBase:
        if request.path.startswith(API):
            return _problem(403, f"{reason} Send the form token as X-CSRFToken, or use a token.")
        if not request.user.is_authenticated:
            return render(request, "identity/form_old.html", status=403)
        return cast("HttpResponseBase", super()._reject(request, reason))  # type: ignore[misc]


def is_local(request: HttpRequest) -> bool:
    """Whether the request came through the local door.

    The front sets this address for that door alone. A forwarded address is never believed:
    a proxy layer that did would let any client call itself local.
    """
    return request.META.get("REMOTE_ADDR") == LOCAL and "HTTP_X_FORWARDED_FOR" not in request.META


@cache
def os_user() -> str:
    """The name of the user this process runs as."""
    return getpass.getuser()


def _unexempted(request: HttpRequest) -> HttpResponseBase:
    raise AssertionError("only its missing exemption is looked at")


def _sends_bearer(request: HttpRequest) -> bool:
    """Whether a token is to be looked at: at the API. Pages are for sessions alone."""
    if not request.path.startswith(API):
        return False
    return str(request.META.get("HTTP_AUTHORIZATION", ""))[:7].lower() == "bearer "


def _bearer_actor(request: HttpRequest, grants: Mapping[str, Role], now: datetime) -> Actor | None:
    token = queries.bearer(request.META["HTTP_AUTHORIZATION"][7:].strip(), now)
    if token is None:
        return None
    tokens.touch(token, now)
    return queries.token_actor(token, grants)


def _local_actor(request: HttpRequest, grants: Mapping[str, Role]) -> Actor | None:
    if not is_local(request):
        return None
    return Actor(name=f"{LOCAL}:{os_user()}", role=Role.ADMIN, grants=grants)


def _session_actor(request: HttpRequest, grants: Mapping[str, Role], now: datetime) -> Actor | None:
    user = request.user
    if not isinstance(user, User) or not user.is_authenticated:
        return None
    _slide(request, now)
    return queries.person_actor(user, grants)


def _slide(request: HttpRequest, now: datetime) -> None:
    """Let the session last from now on again, at the price of one write every few minutes."""
    seen = request.session.get("seen", 0.0)
    if now.timestamp() - seen > SLIDES_EVERY.total_seconds():
        request.session["seen"] = now.timestamp()
        here = UserSession.objects.filter(session_key=request.session.session_key)
        here.update(last_seen_at=now)


def _is_open(request: HttpRequest) -> bool:
    if request.path in settings.STEERWAY_OPEN:
        return True
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return False  # a stranger is not told which addresses exist
    return getattr(view, "login_required", True) is False


def _sign_in(request: HttpRequest) -> HttpResponseBase:
    if request.path.startswith(API):
        return _unknown("Sign in, or send a token: Authorization: Bearer swy_…")
    if request.headers.get("HX-Request"):
        # A fragment cannot show the sign-in page; the whole page goes there.
        return HttpResponse(status=401, headers={"HX-Redirect": settings.LOGIN_URL})
    wanted = request.get_full_path() if request.method in READS else "/"
    return redirect_to_login(wanted, settings.LOGIN_URL)


def _unknown(detail: str) -> HttpResponse:
    response = _problem(401, detail, "/errors/unauthenticated")
    response.headers["WWW-Authenticate"] = 'Bearer realm="steerway"'
    return response


def _no_text() -> HttpResponse:
    """PostgreSQL keeps no zero byte, and no name, reason or reference has one."""
    return _problem(400, "The request holds a zero byte, which is no text.")


def _problem(status: int, detail: str, kind: str = "about:blank") -> HttpResponse:
    body = {"type": kind, "title": detail.partition(":")[0], "status": status, "detail": detail}
    return JsonResponse(body, status=status, content_type="application/problem+json")
