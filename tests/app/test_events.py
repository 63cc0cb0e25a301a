"""The event stream ends for whoever may not read the log any more."""

import asyncio
from typing import Any

import pytest
from a2wsgi.asgi_typing import ReceiveEvent

from steerway.app.events import Stream

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def stream_for(answers: list[bool]) -> list[Any]:
    """What is sent while the question whether somebody may read has these answers."""
    sent: list[Any] = []

    async def receive() -> ReceiveEvent:
        await asyncio.Event().wait()
        raise AssertionError("nobody leaves")

    async def send(event: Any) -> None:
        sent.append(event)

    async def listen() -> None:
        stream = Stream(lambda _: answers.pop(0), check_seconds=0)
        scope: Any = {"headers": [], "query_string": b""}
        await asyncio.wait_for(stream(scope, receive, send), 5)

    asyncio.run(listen())
    return sent


def test_a_stream_ends_when_its_listener_may_not_read_any_more() -> None:
    sent = stream_for([True, False])

    assert sent[0]["status"] == 200
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


def test_a_stranger_gets_no_stream() -> None:
    sent = stream_for([False])

    assert sent[0]["status"] == 401
