"""The door of Prometheus clients: `/api/v1/…` and `/federate`, beside Django.

Queries run in a few threads of their own, so that slow ones keep no page waiting; when whoever
asked leaves, its query is cancelled, also while it waits for its turn.
"""

import asyncio
import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import parse_qs

from a2wsgi.asgi_typing import HTTPScope, Receive, Send

from steerway.platform import clock
from steerway.telemetry.metrics import api, wire
from steerway.telemetry.metrics.api import Asked, Reply
from steerway.telemetry.metrics.rules import QueryLimits
from steerway.telemetry.store import Cancel, Store

THREADS: Final = 4  # queries at the same time; each may take its share of the memory
BODY_BYTES_MAX: Final = 1024 * 1024
GZIP_FROM_BYTES: Final = 16 * 1024
FIELDS_MAX: Final = 1_000
FORM: Final = b"application/x-www-form-urlencoded"
METHODS: Final = {"GET", "POST", "HEAD"}


class Prometheus:
    """An ASGI application for the addresses of Prometheus' HTTP API."""

    def __init__(
        self,
        store: Callable[[], Store],
        allowed: Callable[[HTTPScope], bool],
        limits: QueryLimits,
    ) -> None:
        """`allowed` says, in a thread, whether the asker may read."""
        self._store = store
        self._allowed = allowed
        self._limits = limits
        self._pool = ThreadPoolExecutor(THREADS, "query")

    def takes(self, scope: HTTPScope) -> bool:
        """Whether a request is for this door."""
        return api.is_known(scope["path"])

    async def close(self) -> None:
        """Take no more queries."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer one request, or nobody when the asker has left."""
        if scope["method"] not in METHODS:
            await _send(send, Reply(405, wire.failure("bad_data", "Use GET or POST.")), [])
        elif not await asyncio.to_thread(self._allowed, scope):
            why = "Send a token with the scope records.read: as a bearer, or as the password."
            challenge = (b"www-authenticate", b'Basic realm="steerway"')
            await _send(send, Reply(401, wire.failure("unauthorized", why)), [challenge])
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:
            return
        if len(body) > BODY_BYTES_MAX:
            why = f"At most {BODY_BYTES_MAX} bytes can be sent."
            await _send(send, Reply(413, wire.failure("bad_data", why)), [])
            return
        reply = await self._run(_asked(scope, body, self._limits), receive)
        if reply is not None:
            is_long = len(reply.body) >= GZIP_FROM_BYTES and _unpacks(scope)
            packed = await asyncio.to_thread(_packed, reply) if is_long else (reply, [])
            await _send(send, *packed)

    async def _run(self, asked: Asked, receive: Receive) -> Reply | None:
        """The answer; None when the asker has left before it."""
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._pool, api.answer, self._store, asked)
        left = asyncio.create_task(_left(receive))
        both: set[asyncio.Future[Any]] = {working, left}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            left.cancel()
            return await working
        asked.cancel.cancel()
        if not working.cancel():
            await asyncio.wait({working})
        return None


async def _body(receive: Receive) -> bytes | None:
    """The body of a request; None when its sender leaves before its end."""
    body = bytearray()
    while len(body) <= BODY_BYTES_MAX:
        event = await receive()
        if event["type"] != "http.request":
            return None
        body += event["body"]
        if not event["more_body"]:
            break
    return bytes(body)


async def _left(receive: Receive) -> None:
    """Come to an end when the asker has."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _asked(scope: HTTPScope, body: bytes, limits: QueryLimits) -> Asked:
    """The question: the parameters of the address, then those of the form."""
    texts = [scope["query_string"].decode("latin-1")]
    if dict(scope["headers"]).get(b"content-type", b"").startswith(FORM):
        texts.append(body.decode("latin-1"))
    params: dict[str, list[str]] = {}
    for text in texts:
        for name, values in parse_qs(text, max_num_fields=FIELDS_MAX).items():
            params.setdefault(name, []).extend(values)
    return Asked(scope["path"], params, clock.now(), limits, Cancel())


def _unpacks(scope: HTTPScope) -> bool:
    return b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")


def _packed(reply: Reply) -> tuple[Reply, list[tuple[bytes, bytes]]]:
    packed = gzip.compress(reply.body, compresslevel=1)
    return Reply(reply.status, packed, reply.content_type), [(b"content-encoding", b"gzip")]


async def _send(send: Send, reply: Reply, headers: list[tuple[bytes, bytes]]) -> None:
    fixed = [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept-encoding"),
    ]
    start = {"type": "http.response.start", "status": reply.status, "headers": fixed + headers}
    await send(start)  # type: ignore[arg-type]  # a dictionary of these fields
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})
