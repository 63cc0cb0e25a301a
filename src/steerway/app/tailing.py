"""Lines as they come, to whoever follows them: `GET /api/logs/stream`.

Each listener asks the store once a second for what is new and matches; so it sees lines of every
source, and of every server that shares the store. Who cannot keep up is told how much was left
out; who takes nothing for a while is let go.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs

from a2wsgi.asgi_typing import HTTPScope, Receive, Send

from steerway.platform import clock
from steerway.platform.errors import Invalid, Refused, Unavailable
from steerway.telemetry.logs import queries, wire
from steerway.telemetry.logs.errors import FilterInvalid
from steerway.telemetry.logs.rules import asking
from steerway.telemetry.logs.rules.search import Filter, Page
from steerway.telemetry.logs.rules.tailing import AHEAD, OVERLAP, Fresh
from steerway.telemetry.store import Cancel, Store

PATH: Final = "/api/logs/stream"
LISTENERS_MAX: Final = 50
THREADS: Final = 2
LOOK_SECONDS: Final = 1.0
BEAT_SECONDS: Final = 10.0
CHECK_SECONDS: Final = 15.0  # whoever was shown out hears nothing more after this long
SEND_SECONDS: Final = 30.0
LINES_MAX: Final = 500  # of one look; more than that nobody reads
FIRST_MAX: Final = 200
FIELDS_MAX: Final = 100
HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Tail:
    """An ASGI application that sends lines as events until the listener leaves."""

    def __init__(
        self,
        store: Callable[[], Store],
        allowed: Callable[[HTTPScope], bool],
        *,
        now: Callable[[], datetime] = clock.now,
        look_seconds: float = LOOK_SECONDS,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        """`allowed` says, in a thread, whether the asker may read: now, and later again."""
        self._store = store
        self._allowed = allowed
        self._now = now
        self._look_seconds = look_seconds
        self._send_seconds = send_seconds
        self._pool = ThreadPoolExecutor(THREADS, "tail")
        self._listeners = 0
        self._closing = asyncio.Event()

    def takes(self, scope: HTTPScope) -> bool:
        """Whether a request is for this door."""
        return scope["path"] == PATH

    async def close(self) -> None:
        """End every stream."""
        self._closing.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Send lines until the listener leaves or the server stops."""
        if not await asyncio.to_thread(self._allowed, scope):
            await _refuse(send, 401, "Sign in first, or send a token.")
        elif self._listeners >= LISTENERS_MAX:
            await _refuse(send, 503, f"{LISTENERS_MAX} streams are open; try again later.")
        else:
            try:
                asked, first = _asked(scope, self._now())
            except Invalid as error:
                await _refuse(send, 422, str(error))
                return
            await self._serve(scope, receive, send, asked, first)

    async def _serve(
        self, scope: HTTPScope, receive: Receive, send: Send, asked: Filter, first: int
    ) -> None:
        self._listeners += 1
        cancel = Cancel()
        left = asyncio.create_task(self._left(receive, cancel))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            async for text in self._texts(scope, asked, first, left, cancel):
                body = {"type": "http.response.body", "body": text.encode(), "more_body": True}
                # Who takes nothing for so long has gone or is stuck; what it missed is in search.
                await asyncio.wait_for(send(body), self._send_seconds)  # type: ignore[arg-type]
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return
        finally:
            left.cancel()
            self._listeners -= 1

    async def _left(self, receive: Receive, cancel: Cancel) -> None:
        """Come to an end when the listener has left or the server stops."""
        gone = asyncio.create_task(_gone(receive))
        closing = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait({gone, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            closing.cancel()
            cancel.cancel()

    async def _texts(
        self,
        scope: HTTPScope,
        asked: Filter,
        first: int,
        left: "asyncio.Task[None]",
        cancel: Cancel,
    ) -> AsyncIterator[str]:
        """Events: what there is, then what comes, and a beat now and then."""
        loop = asyncio.get_running_loop()
        fresh, is_first, checked, beat = Fresh(), True, loop.time(), loop.time()
        # A head at once, so that the listener knows that it is heard.
        yield ": listening\n\n"
        while not left.done():
            if loop.time() - checked >= CHECK_SECONDS:
                if not await asyncio.to_thread(self._allowed, scope):
                    return
                checked = loop.time()
            until = self._now() + AHEAD
            found = await self._look(asked.between(asked.since, until), cancel)
            for text in _events(fresh, found, first if is_first else None):
                beat = loop.time()
                yield text
            if not isinstance(found, str):
                asked, is_first = asked.between(until - AHEAD - OVERLAP, until), False
            if loop.time() - beat >= BEAT_SECONDS:
                beat = loop.time()
                yield ": beat\n\n"
            await asyncio.wait({left}, timeout=self._look_seconds)

    async def _look(self, asked: Filter, cancel: Cancel) -> Page | str:
        """The newest lines, or why they cannot be had now."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, self._search, asked, cancel)
        except (Unavailable, Refused) as error:
            return str(error)

    def _search(self, asked: Filter, cancel: Cancel) -> Page:
        return queries.search(self._store(), asked, rows=LINES_MAX, cancel=cancel)


def _events(fresh: Fresh, found: Page | str, first: int | None) -> list[str]:
    """What a look found as events; of the first look, only its newest lines."""
    if isinstance(found, str):
        return [_event("problem", {"detail": found})]
    new = fresh.of(found.lines)
    shown = new if first is None else new[len(new) - min(first, len(new)) :]
    texts = [_event("line", wire.line(line)) for line in shown]
    # All of a full look was new: there were more, which only a search finds.
    if first is None and found.next and len(new) == len(found.lines):
        texts.insert(0, _event("skipped", {"before": new[0].ts.isoformat()}))
    return texts


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _asked(scope: HTTPScope, now: datetime) -> tuple[Filter, int]:
    """The filter of an address, and with how many lines of before it begins.

    Raises:
        FilterInvalid: something in it cannot be understood.
    """
    try:
        params = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise FilterInvalid(field="address", problem="has too many parameters") from error
    given = {name: values[0] for name, values in params.items() if name != "until"}
    first = given.get("rows", "0")
    rows = min(int(first), FIRST_MAX) if first.isdecimal() and len(first) < len("1000000") else 0
    return asking.asked(given, params.get("attribute", []), now=now), rows


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"application/problem+json")]
    body = json.dumps({"type": "about:blank", "status": status, "detail": sentence}).encode()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
