"""Flags over the network: evaluation by OFREP, and the file that flagd polls.

Beside Django, because clients ask often: who asks and which flags are in force is remembered
for a moment, and an evaluation then touches no database.
Source: OpenFeature Remote Evaluation Protocol 0.2; flagd, "HTTP sync".
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import parse_qs

from a2wsgi.asgi_typing import HTTPScope, Receive, Send

from steerway.app.asgi import LOCAL
from steerway.delivery.declarations import queries as flags
from steerway.delivery.flags.rules.asked import Asked
from steerway.delivery.variants.rules import ofrep
from steerway.delivery.variants.rules.flagsets import FlagSet, compiled
from steerway.delivery.variants.rules.ofrep import BODY_BYTES_MAX, PREFIX, Answer, Refused
from steerway.platform.db import reading
from steerway.platform.work import Actor

FILE: Final = "/flagd/flags.json"
PERMISSION: Final = "flags.evaluate"
# So long a switch may take to be seen here, and a revoked token to be refused.
FLAGS_SECONDS: Final = 0.25
KNOWN_SECONDS: Final = 5.0
KNOWN_MAX: Final = 1_000
BODY_SECONDS: Final = 10.0
RATE_MAX: Final = 2_000  # requests a second of one asker; a page asks once, a backend keeps a file
JSON_TYPE: Final = b"application/json"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Held:
    """The flags of one environment as they were a moment ago."""

    etag: str
    text: str
    flags: FlagSet


@dataclass(slots=True)
class _Known:
    """Somebody who asks, until when that is believed, and how often they asked this second."""

    actor: Actor | None
    until: float
    second: int = 0
    asked: int = 0


def _etags() -> Mapping[Key, str]:
    with reading():
        return flags.etags()


def _text(key: Key) -> tuple[str, str]:
    with reading():
        found = flags.document(*key)
    return (found.etag, found.text) if found else ("", "")


class _No(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class FlagDoor:
    """Answers those who ask for flags, at both doors.

    `actor_of` says in a thread who asks, or None; `etags` and `text` read documents there.
    `now` is a clock that only goes forward.
    """

    actor_of: Callable[[HTTPScope], Actor | None]
    asked: Asked
    etags: Callable[[], Mapping[Key, str]] = _etags
    text: Callable[[Key], tuple[str, str]] = _text
    now: Callable[[], float] = time.monotonic
    rate_max: int = RATE_MAX
    _held: dict[Key, _Held] = field(default_factory=dict)
    _etags: Mapping[Key, str] = field(default_factory=dict)
    _looked_at: float = -1.0
    _known: dict[bytes, _Known] = field(default_factory=dict)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def takes(self, scope: HTTPScope) -> bool:
        """Whether a request is for it."""
        return scope["path"].startswith(PREFIX) or scope["path"] == FILE

    async def close(self) -> None:
        """It holds nothing that keeps the server from stopping."""

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        try:
            held, key = await self._entered(scope, headers)
            if scope["path"] == FILE:
                await _send_file(send, held, headers)
                return
            answer = await self._evaluated(scope, receive, held, key)
        except _No as error:
            answer = Answer(error.status, {"errorDetails": str(error)})
        await _send(send, answer, headers)

    async def _entered(self, scope: HTTPScope, headers: Mapping[str, bytes]) -> tuple[_Held, Key]:
        """The flags that are asked for, when the asker may see them."""
        wanted = "GET" if scope["path"] == FILE else "POST"
        if scope["method"] != wanted:
            raise _No(405, f"Ask with {wanted}.")
        known = await self._who(scope, headers)
        if known.actor is None:
            raise _No(401, "Send a token: Authorization: Bearer swy_…")
        self._count(known)
        key = _place(scope, headers, known.actor)
        if not _may(known.actor, key):
            raise _No(403, f"This token may not evaluate flags of {'/'.join(key)}.")
        held = await self._flags(key)
        if held is None:
            raise _No(404, f"There are no flags of {'/'.join(key)}.")
        return held, key

    async def _evaluated(self, scope: HTTPScope, receive: Receive, held: _Held, key: Key) -> Answer:
        name = scope["path"].removeprefix(PREFIX).removeprefix("/")
        body = await _body(receive)
        try:
            context = ofrep.context_of(body)
        except Refused as error:
            return ofrep.refusal(error, name)
        if name:
            answer = ofrep.one(held.flags, name, context)
            said = [answer.body]
        else:
            answer = ofrep.every(held.flags, context)
            said = answer.body["flags"]
        self.asked.count(key, [(one["key"], one["variant"]) for one in said if "variant" in one])
        return answer

    async def _who(self, scope: HTTPScope, headers: Mapping[str, bytes]) -> _Known:
        if scope["client"] == (LOCAL, 0):
            return _Known(await asyncio.to_thread(self.actor_of, scope), 0.0)
        secret = headers.get("authorization", b"")
        if not secret and (key := headers.get("x-api-key", b"")):
            secret = b"Bearer " + key
        if not secret:
            raise _No(401, "Send a token: Authorization: Bearer swy_…")
        digest = hashlib.sha256(secret).digest()
        found = self._known.get(digest)
        if found is None or found.until <= self.now():
            bearer: Any = {**scope, "headers": [(b"authorization", secret)]}
            actor = await asyncio.to_thread(self.actor_of, bearer)
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            found = _Known(actor, self.now() + KNOWN_SECONDS)
            self._known[digest] = found
        return found

    def _count(self, known: _Known) -> None:
        second = int(self.now())
        known.asked = known.asked + 1 if second == known.second else 1
        known.second = second
        if known.asked > self.rate_max:
            raise _No(429, "These are too many requests a second.")

    async def _flags(self, key: Key) -> _Held | None:
        async with self._looking:
            if self.now() - self._looked_at >= FLAGS_SECONDS or self._looked_at < 0:
                self._etags = await asyncio.to_thread(self.etags)
                self._looked_at = self.now()
            held, etag = self._held.get(key), self._etags.get(key)
            if held is None or held.etag != etag:
                held = await asyncio.to_thread(self._read, key) if etag else None
            if held is None:
                self._held.pop(key, None)
            else:
                self._held[key] = held
            return held

    def _read(self, key: Key) -> _Held | None:
        etag, text = self.text(key)
        return _Held(etag, text, compiled(json.loads(text), now=time.time)) if etag else None


def _may(actor: Actor, key: Key) -> bool:
    """Whether role and scopes let somebody evaluate the flags of one environment.

    The scope `flags.evaluate@shop/production` covers that place alone.
    """
    if not actor.role.includes(actor.grants[PERMISSION]):
        return False
    names = PERMISSION, f"{PERMISSION}@{'/'.join(key)}"
    return any(fnmatchcase(name, scope) for name in names for scope in actor.scopes)


def _place(scope: HTTPScope, headers: Mapping[str, bytes], actor: Actor) -> Key:
    """Whose flags are asked for: named, or the one place that a token is bound to."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    named = [
        headers.get(f"x-steerway-{part}", b"").decode("latin-1") or query.get(part, [""])[0]
        for part in ("service", "environment")
    ]
    if all(named):
        return named[0], named[1]
    bound = [one.partition("@")[2] for one in actor.scopes if one.startswith(f"{PERMISSION}@")]
    if len(bound) == 1:
        service, _, environment = bound[0].partition("/")
        return service, environment
    raise _No(
        400,
        "Name the flags: with the headers x-steerway-service and x-steerway-environment, or "
        "with a token whose scope is flags.evaluate@SERVICE/ENVIRONMENT.",
    )


async def _body(receive: Receive) -> bytes:
    """The whole body, soon and not too large."""
    try:
        return await asyncio.wait_for(_all(receive), BODY_SECONDS)
    except TimeoutError as error:
        raise _No(408, "The body did not arrive in time.") from error


async def _all(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        event = await receive()
        if event["type"] != "http.request":
            raise _No(400, "The body ended before its end.")
        body += event["body"]
        if len(body) > BODY_BYTES_MAX:
            raise _No(413, f"A context has at most {BODY_BYTES_MAX} bytes.")
        if not event["more_body"]:
            return bytes(body)


async def _send_file(send: Send, held: _Held, headers: Mapping[str, bytes]) -> None:
    etag = f'"{held.etag}"'.encode()
    is_same = etag in headers.get("if-none-match", b"")
    await _write(send, 304 if is_same else 200, b"" if is_same else held.text.encode(), etag)


async def _send(send: Send, answer: Answer, headers: Mapping[str, bytes]) -> None:
    if "flags" not in answer.body:
        await _write(send, answer.status, answer.content, b"")
        return
    etag = answer.etag.encode()
    is_same = etag in headers.get("if-none-match", b"")
    await _write(send, 304 if is_same else 200, b"" if is_same else answer.content, etag)


async def _write(send: Send, status: int, body: bytes, etag: bytes) -> None:
    headers = [(b"content-type", JSON_TYPE), (b"cache-control", b"no-cache")]
    headers.append((b"content-length", str(len(body)).encode()))
    if etag:
        headers.append((b"etag", etag))
    if status == 429:  # noqa: PLR2004 -- too many requests
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
