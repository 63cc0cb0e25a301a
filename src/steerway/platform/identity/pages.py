"""Pages of people: signing in by a link, one's own account, everybody, and devices."""

from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from steerway.platform.identity import actions, devices, queries, signin, tokens
from steerway.platform.identity.errors import CodeUnknown, ExpiryInvalid, LinkSpent, PersonUnknown
from steerway.platform.identity.models import User
from steerway.platform.identity.rules import TOKEN_DAYS_MAX, Role
from steerway.platform.web.request import SteerwayRequest

form_view = require_http_methods(["GET", "POST"])

# So long after a link one may choose a password without knowing the old one.
WELCOME_LASTS: Final = timedelta(minutes=15)
SESSIONS_SHOWN: Final = 50


@login_not_required
@form_view
def link(request: SteerwayRequest, secret: str) -> HttpResponse:
    """A sign-in link. Looking at it changes nothing, so that previews do not use it up."""
    try:
        if request.method == "POST":
            return _sign_in_by(request, actions.use_link(request.work, secret))
        person = queries.open_link(secret, request.work.now).user
    except LinkSpent as error:
        return render(request, "identity/link_spent.html", {"error": error}, status=404)
    return render(request, "identity/link.html", {"person": person})


@sensitive_post_parameters()
@form_view
def welcome(request: SteerwayRequest) -> HttpResponse:
    """Choose a password right after coming in by a link."""
    person = _own(request)
    at = float(request.session.get("link_at", 0))
    if request.work.now.timestamp() - at > WELCOME_LASTS.total_seconds():
        return redirect("account_change_password")
    form = SetPasswordForm(person, request.POST or None)
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else 422
        context = {"form": form, "person": person}
        return render(request, "identity/welcome.html", context, status=status)
    form.save()
    update_session_auth_hash(request, person)
    del request.session["link_at"]
    signin.record_as(request, person, "user.password-set")
    return redirect(settings.LOGIN_REDIRECT_URL)


@require_GET
def account(request: SteerwayRequest) -> HttpResponse:
    """One's own account: ways to sign in, sessions, tokens."""
    return _account(request)


@require_POST
def add_token(request: SteerwayRequest) -> HttpResponse:
    """A new token, whose secret this one answer shows."""
    days = request.POST.get("days", "")
    if not days.isdecimal():
        raise ExpiryInvalid(days=days, most=TOKEN_DAYS_MAX)
    token, secret = tokens.create(
        request.work,
        name=request.POST.get("name", "").strip(),
        days=int(days[:9]),
        role=request.POST.get("role", ""),
        scopes=request.POST.get("scopes", "").replace(",", " ").split() or ["*"],
    )
    return _account(request, token=token, secret=secret)


@require_POST
def revoke_token(request: SteerwayRequest, token_id: UUID) -> HttpResponse:
    """Revoke a token, one's own or, as an admin, anybody's."""
    token = tokens.revoke(request.work, token_id)
    messages.success(request, f"The token {token.name} is revoked.")
    from_people = request.POST.get("then") == "people"
    return redirect("identity:people" if from_people else "identity:account")


@require_POST
def end_sessions(request: SteerwayRequest) -> HttpResponse:
    """Sign out everywhere else."""
    ended = actions.sign_out_everywhere(request.work, keep=request.session.session_key or "")
    messages.success(request, f"Signed out of {ended} other sessions.")
    return redirect("identity:account")


@form_view
def device(request: SteerwayRequest) -> HttpResponse:
    """Say yes or no to a command line that wants to act for you."""
    if request.method == "POST":
        return _answer_device(request)
    code = request.GET.get("code", "").strip()
    if not code:
        return render(request, "identity/device.html")
    try:
        waiting = devices.look_up(request.work, code)
    except CodeUnknown as error:
        return render(request, "identity/device.html", {"error": error, "code": code}, status=404)
    return render(request, "identity/device.html", {"device": waiting})


@form_view
def people(request: SteerwayRequest) -> HttpResponse:
    """Everybody, and on POST one more."""
    if request.method == "GET":
        return _people(request)
    name = request.POST.get("name", "").strip().lower()
    path = actions.invite(request.work, name, role=request.POST.get("role", ""))
    return _people(request, name=name, link=settings.STEERWAY.public_url + path)


@require_POST
def change_role(request: SteerwayRequest, name: str) -> HttpResponse:
    """Give a person another role."""
    person = actions.change_role(request.work, name, role=request.POST.get("role", ""))
    messages.success(request, f"{name} is {person.role} from now on.")
    return redirect("identity:people")


@require_POST
def make_link(request: SteerwayRequest, name: str) -> HttpResponse:
    """A sign-in link for a person, which this one answer shows."""
    path = actions.login_link(request.work, name)
    return _people(request, name=name, link=settings.STEERWAY.public_url + path)


@require_POST
def set_active(request: SteerwayRequest, name: str, *, active: bool) -> HttpResponse:
    """Disable a person, or let them in again."""
    change = actions.enable if active else actions.disable
    change(request.work, name)
    messages.success(request, f"{name} is {'enabled' if active else 'disabled'}.")
    return redirect("identity:people")


enable = partial(set_active, active=True)
disable = partial(set_active, active=False)


@require_POST
def clear_factors(request: SteerwayRequest, name: str) -> HttpResponse:
    """Forget the second factors of somebody who lost them."""
    actions.clear_factors(request.work, name)
    messages.success(request, f"{name} signs in without a second factor until they set one up.")
    return redirect("identity:people")


def _sign_in_by(request: SteerwayRequest, person: User) -> HttpResponse:
    if request.user.is_authenticated:
        get_adapter().logout(request)
    request.session["link_at"] = request.work.now.timestamp()
    record_authentication(request, person, method="link")
    answer: HttpResponse = perform_login(
        request, person, email_verification="none", redirect_url="/account/welcome"
    )
    return answer


def _own(request: SteerwayRequest) -> User:
    if not isinstance(request.user, User):
        raise PersonUnknown(name=request.work.actor.name)
    return request.user


def _account(request: SteerwayRequest, **made: Any) -> HttpResponse:
    person = _own(request)
    factors = list(Authenticator.objects.filter(user=person).order_by("id"))
    sessions = UserSession.objects.filter(user=person).order_by("-last_seen_at")
    context = {
        "person": person,
        "app": [f for f in factors if f.type == Authenticator.Type.TOTP],
        "codes": [f for f in factors if f.type == Authenticator.Type.RECOVERY_CODES],
        "passkeys": [f.wrap() for f in factors if f.type == Authenticator.Type.WEBAUTHN],
        "sessions": sessions[:SESSIONS_SHOWN],
        "session_key": request.session.session_key,
        "tokens": queries.tokens_of(person.username, request.work.now),
        "roles": [role for role in Role if person.as_role.includes(role)],
        "permissions": sorted(request.work.actor.grants),
        "passkeys_work": _passkeys_work(request),
    }
    return render(request, "identity/account.html", {**context, **made})


def _people(request: SteerwayRequest, **made: Any) -> HttpResponse:
    context = {
        "people": queries.everybody(request.work),
        "tokens": queries.tokens_seen_by(request.work),
        "roles": list(Role),
    }
    return render(request, "identity/people.html", {**context, **made})


def _answer_device(request: SteerwayRequest) -> HttpResponse:
    code = request.POST.get("code", "")
    if request.POST.get("answer") == "yes":
        waiting = devices.approve(request.work, code)
        return render(request, "identity/device_done.html", {"device": waiting, "yes": True})
    waiting = devices.deny(request.work, code)
    return render(request, "identity/device_done.html", {"device": waiting, "yes": False})


def _passkeys_work(request: HttpRequest) -> bool:
    """Browsers bind passkeys to a name: https, or localhost; never to an address."""
    host = request.get_host().partition(":")[0]
    return host == "localhost" or (settings.HTTPS and not host.replace(".", "").isdigit())
