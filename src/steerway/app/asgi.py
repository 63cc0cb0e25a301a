"""The server's front: event streams here, everything else to Django in a pool of threads.

Two doors lead in. The network door is plain. The local door is a unix socket that only the
owner of the home directory may open; its requests carry the client address `local`, which
no network client can have, because that address is set here and nowhere else.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, ReceiveEvent, Scope, Send, SendEvent
from django.core.wsgi import get_wsgi_application

from steerway.app.events import Stream
from steerway.platform.identity.middleware import BODY_BYTES_MAX

LOCAL = "local"
PIECE_SECONDS: Final = 30.0  # for one piece of an answer, of which most have one
BODY_SECONDS: Final = 20.0  # for a whole body: four megabytes arrive over a slow line

HELD_BYTES_MAX: Final = 64 * 1024 * 1024  # of all bodies together, so that strangers fill no memory


class _Refused(Exception):
    """A body that is not waited for. Its number is the status of the answer."""


class Beside(Protocol):
    """An ASGI application that answers some addresses instead of Django."""

    def takes(self, scope: HTTPScope) -> bool:
        """Whether a request is for it."""

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer it."""

    async def close(self) -> None:
        """Take no more, and end what would keep the server from stopping."""


class Front:
    """The ASGI application behind both doors."""

    def __init__(
        self,
        stream: Stream,
        threads: int,
        beside: Sequence[Beside] = (),
        *,
        body_seconds: float = BODY_SECONDS,
        piece_seconds: float = PIECE_SECONDS,
    ) -> None:
        """Serve `threads` requests at the same time; streams do not count."""
        self._stream = stream
        self._beside = beside
        self._body_seconds = body_seconds
        self._piece_seconds = piece_seconds
        self._held_bytes = 0
        self._django = WSGIMiddleware(get_wsgi_application(), workers=threads)  # type: ignore[arg-type] # Django's answer is an iterable

    async def close(self) -> None:
        """End the streams, which would keep the server from stopping."""
        await self._stream.close()
        for one in self._beside:
            await one.close()

    def door(self, *, local: bool) -> ASGIApp:
        """The application for one listener."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return
            scope["client"] = (LOCAL, 0) if local else _network_client(scope)
            if scope["path"] == "/events":
                await self._stream(scope, receive, send)
                return
            for one in self._beside:
                if one.takes(scope):
                    await one(scope, receive, send)
                    return
            await self._serve(scope, receive, send)

        return serve

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Let Django answer, once the whole body is here: a slow sender holds no thread."""
        body = bytearray()
        try:
            is_whole = await asyncio.wait_for(self._fill(body, scope, receive), self._body_seconds)
        except TimeoutError:
            await _refuse(send, 408)
        except _Refused as error:
            await _refuse(send, error.args[0])
        else:
            if is_whole:
                await self._django(scope, _replay(bytes(body), receive), self._patient(send))
        finally:
            self._held_bytes -= len(body)

    async def _fill(self, body: bytearray, scope: HTTPScope, receive: Receive) -> bool:
        """Read a body; False when its sender leaves before its end: half of it means nothing."""
        while True:
            event = await receive()
            if event["type"] != "http.request":
                return False
            body += event["body"]
            self._held_bytes += len(event["body"])
            if len(body) > BODY_BYTES_MAX:
                raise _Refused(413)
            if self._held_bytes > HELD_BYTES_MAX and scope["client"] != (LOCAL, 0):
                raise _Refused(503)
            if not event["more_body"]:
                return True

    def _patient(self, send: Send) -> Send:
        """Gives up a reader who takes too long for one piece; what comes after is thrown away.

        Who makes the answer comes to its end then, and holds its thread no longer.
        """
        is_gone = False

        async def sent(event: SendEvent) -> None:
            nonlocal is_gone
            if is_gone:
                return
            try:
                await asyncio.wait_for(send(event), self._piece_seconds)
            except TimeoutError:
                is_gone = True

        return sent


def _network_client(scope: HTTPScope) -> tuple[str, int]:
    """The peer's address. A peer that has hung up has none; it is not taken for the owner."""
    client = scope.get("client")
    return ("unknown", 0) if client is None or client[0] == LOCAL else client


def _replay(body: bytes, receive: Receive) -> Receive:
    """What a reader of the body gets: all of it at once, then what comes after."""
    left: list[ReceiveEvent] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> ReceiveEvent:
        return left.pop() if left else await receive()

    return again


async def _refuse(send: Send, status: int) -> None:
    """An answer without a body, after which nothing more is read."""
    headers = [(b"connection", b"close"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
