"""Somebody who listens to a stream of events until told to leave."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from a2wsgi.asgi_typing import ReceiveEvent


class Hearing:
    """What one client hears of a stream; nothing is waited for longer than `seconds`."""

    def __init__(
        self, serve: Callable[..., Coroutine[Any, Any, None]], scope: Any, *, seconds: float
    ) -> None:
        self.status = 0
        self.heard = ""
        self.is_over = False
        self._seconds = seconds
        self._leaves = asyncio.Event()
        self.task = asyncio.create_task(serve(scope, self._receive, self._send))

    async def _receive(self) -> ReceiveEvent:
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Any) -> None:
        self.status = event.get("status", self.status)
        self.heard += event.get("body", b"").decode()
        self.is_over = event["type"] == "http.response.body" and not event["more_body"]

    async def hears(self, text: str) -> None:
        """Return once `text` was sent."""
        until = time.monotonic() + self._seconds
        while text not in self.heard:
            assert time.monotonic() < until, self.heard
            await asyncio.sleep(0.01)

    async def leaves(self) -> None:
        """Hang up."""
        self._leaves.set()
        await asyncio.wait_for(self.task, self._seconds)
