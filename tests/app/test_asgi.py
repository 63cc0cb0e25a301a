"""The front: a slow or endless sender keeps nobody waiting."""

import asyncio
from typing import Any

import pytest
from a2wsgi.asgi_typing import ReceiveEvent, Scope

from steerway.app.asgi import Front
from steerway.app.events import Stream
from steerway.platform.identity.middleware import BODY_BYTES_MAX


def scope(path: str) -> Any:
    found: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("192.0.2.7", 4000),
        "server": ("127.0.0.1", 7300),
    }
    return found


def answer_to(events: list[ReceiveEvent], *, body_seconds: float = 0.05) -> list[Any]:
    """What the front sends to somebody who sends `events`, and then nothing more."""
    sent: list[Any] = []

    async def receive() -> ReceiveEvent:
        if not events:
            await asyncio.Event().wait()
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append(event)

    async def ask() -> None:
        # One thread only: whoever holds it keeps everybody else out.
        front = Front(Stream(lambda _: False), threads=1, body_seconds=body_seconds)
        await front.door(local=False)(scope("/api/device"), receive, send)

    asyncio.run(ask())
    return sent


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    sent = answer_to([{"type": "http.request", "body": b"{", "more_body": True}])

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


@pytest.mark.parametrize("parts", [1, 8])
def test_a_body_without_end_is_cut_off(parts: int) -> None:
    part = b" " * (BODY_BYTES_MAX // parts + 1)

    sent = answer_to([{"type": "http.request", "body": part, "more_body": True}] * parts)

    assert sent[0]["status"] == 413


def test_half_a_body_is_not_acted_upon() -> None:
    half: ReceiveEvent = {"type": "http.request", "body": b'{"client": "x"}', "more_body": True}

    assert answer_to([half, {"type": "http.disconnect"}]) == []
