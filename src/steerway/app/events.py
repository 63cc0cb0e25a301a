"""The event stream: every new entry of the log, to every page that is open.

Written in asyncio because hundreds of streams wait at the same time. One poller asks the
database for what is new, only while somebody listens; so it works the same with several
servers on one PostgreSQL.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from a2wsgi.asgi_typing import HTTPScope, Receive, Send
from django.db import DatabaseError

from steerway.platform.db import reading
from steerway.platform.log import queries as log
from steerway.platform.log.models import Event
from steerway.platform.log.rules import moment

POLL_SECONDS: Final = 0.25
# A comment now and then keeps proxies from closing a quiet stream, and finds dead listeners.
BEAT_SECONDS: Final = 15.0
# Whoever was signed out or shown out hears nothing more after this long.
CHECK_SECONDS: Final = 15.0
LISTENERS_MAX: Final = 500
BEHIND_MAX: Final = 100  # A listener that missed more reloads the page instead.

HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Stream:
    """An ASGI application that answers `GET /events?after=SEQ`."""

    def __init__(
        self, allowed: Callable[[HTTPScope], bool], *, check_seconds: float = CHECK_SECONDS
    ) -> None:
        """`allowed` says, in a thread, whether the asker may see the log: now, and later again."""
        self._allowed = allowed
        self._check_seconds = check_seconds
        self._news = asyncio.Event()
        self._seq = 0
        self._listeners = 0
        self._poller: asyncio.Task[None] | None = None
        self._closing = False

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Send entries until the listener leaves or the server stops."""
        if not await asyncio.to_thread(self._allowed, scope):
            await _refuse(send, 401, "Sign in first.")
            return
        if self._listeners >= LISTENERS_MAX:
            await _refuse(send, 503, f"{LISTENERS_MAX} streams are open; try again later.")
            return
        self._listeners += 1
        left = asyncio.create_task(_left(receive))
        try:
            await self._send_all(scope, send, left)
        finally:
            left.cancel()
            self._listeners -= 1

    async def close(self) -> None:
        """End every stream, so that the server can stop at once."""
        self._closing = True
        self._wake()
        if self._poller:
            self._poller.cancel()

    async def _send_all(self, scope: HTTPScope, send: Send, left: "asyncio.Task[None]") -> None:
        newest = await asyncio.to_thread(_last_seq)
        seq = _after(scope, newest)
        self._seq = max(self._seq, newest)
        self._ensure_poller()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        # What is newest goes first: a page rendered before it knows that it is behind.
        await _write(send, f"event: hello\ndata: {newest}\n\n")
        checked = time.monotonic()
        while not self._closing and not left.done():
            if time.monotonic() - checked >= self._check_seconds:
                if not await asyncio.to_thread(self._allowed, scope):
                    break
                checked = time.monotonic()
            if self._seq > seq:
                seq = await self._send_after(send, seq)
                continue
            if not await self._wait(left):
                await _write(send, ": beat\n\n")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_after(self, send: Send, seq: int) -> int:
        events = await asyncio.to_thread(_events_after, seq)
        for event in events:
            await _write(send, f"id: {event.seq}\nevent: log\ndata: {_json(event)}\n\n")
        return events[-1].seq if events else self._seq

    async def _wait(self, left: "asyncio.Task[None]") -> bool:
        """Whether there is news, before it is time for a beat."""
        news = asyncio.create_task(self._news.wait())
        done, _ = await asyncio.wait(
            {news, left}, timeout=BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        news.cancel()
        return bool(done)

    def _ensure_poller(self) -> None:
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())

    async def _poll(self) -> None:
        while self._listeners:
            # A database that is away for a moment is asked again: nobody else would.
            with contextlib.suppress(DatabaseError):
                newest = await asyncio.to_thread(_last_seq)
                if newest > self._seq:
                    self._seq = newest
                    self._wake()
            await asyncio.sleep(POLL_SECONDS)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _refuse(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode(), "more_body": False})


def _after(scope: HTTPScope, newest: int) -> int:
    """The number a listener has seen last: `Last-Event-ID` on reconnect, else `?after=`."""
    headers = dict(scope["headers"])
    asked = headers.get(b"last-event-id", b"").decode("latin-1")
    asked = asked or parse_qs(scope["query_string"].decode("latin-1")).get("after", [""])[0]
    seen = int(asked) if asked.isdecimal() and len(asked) < len(str(2**62)) else newest
    return seen if newest - BEHIND_MAX <= seen <= newest else newest


def _last_seq() -> int:
    with reading():
        return log.last_seq()


def _events_after(seq: int) -> list[Event]:
    with reading():
        return log.after(seq)


def _json(event: Event) -> str:
    return json.dumps(
        {
            "seq": event.seq,
            "type": event.type,
            "subject": event.subject,
            "service": event.service,
            "environment": event.environment,
            "actor": event.actor,
            "at": moment(event.at),
        }
    )
