"""Signing a command line in: it shows a code, a person says yes to it in the browser.

Source: RFC 8628. Our own few lines rather than an identity provider: what comes out is one of
our tokens, with our roles, scopes and expiry, and no client has to be registered.
"""

from dataclasses import dataclass, replace

from steerway.platform.identity import limits, queries, tokens
from steerway.platform.identity.errors import CodeUnknown, TooOften
from steerway.platform.identity.models import DeviceRequest, Token, User
from steerway.platform.identity.rules import (
    DEVICE_INTERVAL,
    DEVICE_LASTS,
    DEVICE_SLOWER,
    DEVICE_TOKEN_DAYS,
    DeviceState,
    digest,
    name_from,
    new_link_secret,
    new_user_code,
)
from steerway.platform.work import Work

# Unanswered requests at one time; more are an attack, and would make codes guessable.
WAITING_MAX = 1000
BEGINS_MAX = 20  # requests of one address within their lifetime
GUESSES_MAX = 20  # codes one person may type within their lifetime
TEXT_MAX = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """What a polling command line gets: a token, or the word of RFC 8628 for why not."""

    error: str = ""
    token: Token | None = None
    secret: str = ""


def begin(work: Work, *, client: str, address: str) -> tuple[DeviceRequest, str]:
    """A request that waits for a person, and the secret its maker polls with.

    Raises:
        TooOften: this address, or everybody together, asks too often.
    """
    limits.consume(f"device-begin:{address}", tries=BEGINS_MAX, per=DEVICE_LASTS)
    waiting = DeviceRequest.objects.filter(state=DeviceState.PENDING.value, expires_at__gt=work.now)
    if waiting.count() >= WAITING_MAX:
        raise TooOften(seconds=int(DEVICE_LASTS.total_seconds()))
    secret = new_link_secret()
    device = DeviceRequest.objects.create(
        digest=digest(secret),
        user_code=new_user_code(),
        client="".join(c for c in client if c.isprintable())[:TEXT_MAX],
        address=address[:TEXT_MAX],
        made_at=work.now,
        expires_at=work.now + DEVICE_LASTS,
    )
    return device, secret


def look_up(work: Work, code: str) -> DeviceRequest:
    """The device that waits with this code; a person may guess only so often.

    Raises:
        CodeUnknown: none waits with it.
        TooOften: too many codes were typed.
    """
    limits.consume(f"device-code:{work.actor.name}", tries=GUESSES_MAX, per=DEVICE_LASTS)
    return queries.waiting_device(code, work.now)


def approve(work: Work, code: str) -> DeviceRequest:
    """The device, which may now fetch a token that acts for the actor.

    Raises:
        CodeUnknown: no device waits with this code any more.
    """
    work.allow("tokens.create")
    return _answer(work, code, DeviceState.APPROVED)


def deny(work: Work, code: str) -> DeviceRequest:
    """The device, which gets no token.

    Raises:
        CodeUnknown: no device waits with this code any more.
    """
    return _answer(work, code, DeviceState.DENIED)


def claim(work: Work, secret: str) -> Answer:
    """The token of an approved request, once; otherwise why there is none (yet)."""
    device = DeviceRequest.objects.select_related("user").filter(digest=digest(secret)).first()
    if device is None or device.expires_at <= work.now or device.state == DeviceState.CLAIMED:
        return Answer(error="expired_token")
    if limits.is_too_fast(device.digest, work.now, interval=DEVICE_INTERVAL, slower=DEVICE_SLOWER):
        return Answer(error="slow_down")
    if device.state == DeviceState.PENDING:
        return Answer(error="authorization_pending")
    if device.state == DeviceState.DENIED or not device.user.is_active:
        return Answer(error="access_denied")
    approved = DeviceRequest.objects.filter(pk=device.pk, state=DeviceState.APPROVED.value)
    if approved.update(state=DeviceState.CLAIMED.value) != 1:
        return Answer(error="expired_token")
    token, made = _token_for(work, device.user, device)
    return Answer(token=token, secret=made)


def _answer(work: Work, code: str, state: DeviceState) -> DeviceRequest:
    person = queries.person(work.actor.name)
    device = queries.waiting_device(code, work.now)
    pending = DeviceRequest.objects.filter(pk=device.pk, state=DeviceState.PENDING.value)
    if pending.update(state=state.value, user=person) != 1:
        raise CodeUnknown(code=code)
    work.record(f"device.{state}", person.username, client=device.client, address=device.address)
    return device


def _token_for(work: Work, person: User, device: DeviceRequest) -> tuple[Token, str]:
    own = replace(work, actor=queries.person_actor(person, work.actor.grants))
    # The end of the id is random, so two logins of one machine do not want the same name.
    name = f"login-{name_from(device.client)[:20]}-{device.id.hex[-6:]}"
    return tokens.create(own, name=name, days=DEVICE_TOKEN_DAYS)
