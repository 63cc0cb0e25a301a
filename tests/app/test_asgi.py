"""The front: who is local, and that a slow or endless sender keeps nobody waiting."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import ReceiveEvent, Scope

from steerway.app.asgi import HELD_BYTES_MAX, Front
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


def test_strangers_together_fill_only_so_much_memory() -> None:
    part: ReceiveEvent = {"type": "http.request", "body": b" " * 2**20, "more_body": True}
    count = HELD_BYTES_MAX // BODY_BYTES_MAX + 1

    async def ask() -> list[int]:
        front = Front(Stream(lambda _: False), threads=1, body_seconds=0.5)
        door, statuses = front.door(local=False), list[int]()
        await asyncio.gather(*(_stall(door, [part] * 4, statuses) for _ in range(count)))
        await _stall(door, [part], statuses)
        return statuses

    statuses = asyncio.run(ask())

    # One too many is told so at once; what the others held is free again once they are given up.
    assert sorted(statuses) == [408] * count + [503]


async def _stall(door: Any, events: list[ReceiveEvent], statuses: list[int]) -> None:
    """Send some of a body, then nothing."""

    async def receive() -> ReceiveEvent:
        if not events:
            await asyncio.Event().wait()
        return events.pop(0)

    async def send(event: Any) -> None:
        if "status" in event:
            statuses.append(event["status"])

    await door(scope("/api/device"), receive, send)


def test_half_a_body_is_not_acted_upon() -> None:
    half: ReceiveEvent = {"type": "http.request", "body": b'{"client": "x"}', "more_body": True}

    assert answer_to([half, {"type": "http.disconnect"}]) == []


def test_a_reader_who_stops_reading_holds_no_thread() -> None:
    def answer(_: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [])
        yield from [b"a piece"] * 100

    async def receive() -> ReceiveEvent:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        await asyncio.Event().wait()

    async def ask() -> None:
        front = Front(Stream(lambda _: False), threads=1, piece_seconds=0.05)
        front._django = WSGIMiddleware(answer, workers=1)  # type: ignore[arg-type] # its types are too narrow
        await asyncio.wait_for(front.door(local=False)(scope("/api/log/export"), receive, send), 5)

    asyncio.run(ask())


def who_am_i(*, local: bool, client: Any, headers: dict[str, str]) -> tuple[int, Any]:
    """Status and body of `GET /api/me` through one of the doors."""
    sent: list[Any] = []
    asked = scope("/api/me") | {"method": "GET", "client": client}
    asked["headers"] += [(name.encode(), text.encode()) for name, text in headers.items()]

    async def receive() -> ReceiveEvent:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    front = Front(Stream(lambda _: False), threads=1)
    asyncio.run(front.door(local=local)(asked, receive, send))
    body = b"".join(event.get("body", b"") for event in sent)
    return sent[0]["status"], json.loads(body)


def test_whoever_comes_through_the_local_door_is_the_owner() -> None:
    status, me = who_am_i(local=True, client=None, headers={})

    assert status == 200
    assert me["name"].startswith("local:")
    assert me["role"] == "admin"


@pytest.mark.parametrize("client", [("local", 0), ("local", 4000), None, ("127.0.0.1", 4000)])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-forwarded-for": "local"},
        {"forwarded": "for=local"},
        {"x-real-ip": "local"},
        {"remote-addr": "local"},
        {"remote_addr": "local"},
        {"x-forwarded-host": "localhost"},
    ],
)
def test_nobody_from_the_network_is_taken_for_the_owner(
    client: tuple[str, int] | None, headers: dict[str, str]
) -> None:
    status, problem = who_am_i(local=False, client=client, headers=headers)

    assert status == 401
    assert problem["type"] == "/errors/unauthenticated"


def test_a_request_that_was_passed_on_to_the_local_door_is_not_the_owners() -> None:
    status, _ = who_am_i(local=True, client=None, headers={"x-forwarded-for": "192.0.2.7"})

    assert status == 401


def test_a_stream_asker_from_the_network_is_not_called_local() -> None:
    seen: list[Any] = []

    def allowed(asked: Any) -> bool:
        seen.append(asked["client"])
        return False

    async def receive() -> ReceiveEvent:
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        """Nobody looks."""

    async def ask() -> None:
        front = Front(Stream(allowed), threads=1)
        for local, client in ((False, ("local", 0)), (False, None), (True, ("192.0.2.7", 1))):
            await front.door(local=local)(scope("/events") | {"client": client}, receive, send)

    asyncio.run(ask())

    assert seen == [("unknown", 0), ("unknown", 0), ("local", 0)]


def test_what_is_not_http_is_not_answered() -> None:
    async def receive() -> ReceiveEvent:
        raise AssertionError("nothing is read")

    async def send(_: Any) -> None:
        raise AssertionError("nothing is sent")

    socket: Any = {"type": "websocket", "path": "/events"}
    asyncio.run(Front(Stream(lambda _: True), threads=1).door(local=False)(socket, receive, send))
