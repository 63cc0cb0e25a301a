"""People, tokens and sign-ins over HTTP."""

import json
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Status

from steerway.platform.identity import actions, devices, queries, tokens
from steerway.platform.identity.errors import TooOften
from steerway.platform.identity.models import Token, User
from steerway.platform.identity.rules import DEVICE_INTERVAL, DEVICE_LASTS
from steerway.platform.identity.wire import (
    DeviceOut,
    DeviceProblem,
    DeviceToken,
    LinkOut,
    MeOut,
    PersonChange,
    PersonIn,
    PersonOut,
    TokenIn,
    TokenMade,
    TokenOut,
)
from steerway.platform.web.request import SteerwayRequest

me = Router(tags=["people"])
people = Router(tags=["people"])
keys = Router(tags=["tokens"])
device = Router(tags=["sign-in"])

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"


def _form_or_json(*names: str) -> dict[str, Any]:
    """The description of a body that RFC 8628 wants as a form, and our command line as JSON."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    kinds = ("application/json", "application/x-www-form-urlencoded")
    return {"requestBody": {"content": {kind: {"schema": schema} for kind in kinds}}}


@me.get("", response=MeOut)
def whoami(request: SteerwayRequest) -> MeOut:
    """Who asks, and what they may do."""
    actor = request.work.actor
    return MeOut(
        name=actor.name,
        role=actor.role,
        scopes=list(actor.scopes),
        permissions=sorted(p for p in actor.grants if actor.may(p)),
    )


@me.delete("/token", response={204: None})
def give_up_token(request: SteerwayRequest) -> None:
    """Revoke the token this request came with, if it came with one."""
    secret = request.headers.get("Authorization", "").partition(" ")[2].strip()
    tokens.give_up(request.work, secret)


@people.get("", response=list[PersonOut])
def everybody(request: SteerwayRequest) -> list[User]:
    """All people, by name."""
    return queries.everybody(request.work)


@people.post("", response={201: LinkOut})
def invite(request: SteerwayRequest, body: PersonIn) -> LinkOut:
    """A new person, and the link that signs them in for the first time."""
    return _link(body.name, actions.invite(request.work, body.name, role=body.role))


@people.post("/first-link", response={201: LinkOut})
def make_first_link(request: SteerwayRequest) -> LinkOut:
    """A link that signs the first admin in once; makes the admin while there is none."""
    return _link(*actions.first_link(request.work))


@people.patch("/{name}", response=PersonOut)
def change(request: SteerwayRequest, name: str, body: PersonChange) -> User:
    """Give a person another role, disable them, or enable them."""
    request.work.allow("people.manage", on=name)
    if body.role is not None:
        actions.change_role(request.work, name, role=body.role)
    if body.active is not None:
        (actions.enable if body.active else actions.disable)(request.work, name)
    return queries.person(name)


@people.post("/{name}/links", response={201: LinkOut})
def make_link(request: SteerwayRequest, name: str) -> LinkOut:
    """A link that signs a person in once; earlier ones stop working."""
    return _link(name, actions.login_link(request.work, name))


@people.delete("/{name}/factors", response={204: None})
def clear_factors(request: SteerwayRequest, name: str) -> None:
    """Forget the second factors of somebody who lost them."""
    actions.clear_factors(request.work, name)


@keys.get("", response=list[TokenOut])
def live(request: SteerwayRequest) -> list[TokenOut]:
    """Live tokens: one's own, or all of them for who manages tokens."""
    return [TokenOut(**_shape(token)) for token in queries.tokens_seen_by(request.work)]


@keys.post("", response={201: TokenMade})
def create(request: SteerwayRequest, body: TokenIn) -> TokenMade:
    """A new token. The answer holds its secret, which is never given again."""
    token, secret = tokens.create(
        request.work,
        name=body.name,
        days=body.days,
        owner=body.owner,
        role=body.role,
        scopes=body.scopes,
    )
    return TokenMade(**_shape(token), secret=secret)


@keys.delete("/{uuid:token_id}", response={204: None})
def revoke(request: SteerwayRequest, token_id: UUID) -> None:
    """Make a token stop working."""
    tokens.revoke(request.work, token_id)


@device.post(
    "", response={200: DeviceOut, 429: DeviceProblem}, openapi_extra=_form_or_json("client")
)
def begin(request: SteerwayRequest) -> Status[DeviceOut | DeviceProblem]:
    """Ask for a sign-in that a person confirms in the browser."""
    client = _fields(request).get("client") or request.headers.get("User-Agent", "")
    try:
        waiting, secret = devices.begin(
            request.work, client=str(client), address=request.META.get("REMOTE_ADDR", "")
        )
    except TooOften as error:
        return Status(429, DeviceProblem(error="slow_down", error_description=str(error)))
    page = f"{settings.STEERWAY.public_url}/device"
    return Status(
        200,
        DeviceOut(
            device_code=secret,
            user_code=waiting.user_code,
            verification_uri=page,
            verification_uri_complete=f"{page}?code={waiting.user_code}",
            expires_in=int(DEVICE_LASTS.total_seconds()),
            interval=int(DEVICE_INTERVAL.total_seconds()),
        ),
    )


@device.post(
    "/token",
    response={200: DeviceToken, 400: DeviceProblem},
    openapi_extra=_form_or_json("device_code", "grant_type"),
)
def poll(request: SteerwayRequest) -> Status[DeviceToken | DeviceProblem]:
    """The token, once a person has said yes."""
    fields = _fields(request)
    if fields.get("grant_type", GRANT) != GRANT:
        return Status(400, DeviceProblem(error="unsupported_grant_type"))
    secret = fields.get("device_code")
    if not isinstance(secret, str) or not secret:
        return Status(
            400, DeviceProblem(error="invalid_request", error_description="device_code is missing.")
        )
    answer = devices.claim(request.work, secret)
    if answer.token is None:
        return Status(400, DeviceProblem(error=answer.error))
    lasts = answer.token.expires_at - request.work.now
    return Status(
        200,
        DeviceToken(
            access_token=answer.secret,
            expires_in=int(lasts.total_seconds()),
            name=answer.token.owner.username,
        ),
    )


def _link(name: str, path: str) -> LinkOut:
    return LinkOut(name=name, url=settings.STEERWAY.public_url + path)


def _shape(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "owner": token.owner.username,
        "name": token.name,
        "prefix": token.prefix,
        "role": token.allowed_role,
        "scopes": token.scopes,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    }


def _fields(request: HttpRequest) -> dict[str, Any]:
    if request.content_type == "application/x-www-form-urlencoded":
        return request.POST.dict()
    try:
        found = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
