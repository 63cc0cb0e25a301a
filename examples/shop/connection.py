"""One keep-alive HTTP/1.1 connection of a visitor."""

import asyncio
import time
from typing import Protocol

from seen import Call

VERSION_HEADER = "x-shop-version"
BODY_BYTES_MAX = 16_000_000


class Run(Protocol):
    """What a connection needs of the run it belongs to."""

    idle: "list[Connection]"

    def wire(self, call: Call) -> bytes:
        """The bytes of a request."""

    def finish(self, call: Call, kind: str) -> None:
        """A call is over."""

    def retry(self, call: Call) -> None:
        """A call may be sent once more."""

    def forget(self, connection: "Connection") -> None:
        """A connection is gone."""


class Reply:
    """Reads one HTTP/1.1 response from pieces."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.left: int | None = None  # body bytes still to come; None: until the connection closes
        self.chunked = False

    def feed(self, data: bytes) -> bool:
        """Take more bytes; True when the response is whole.

        Raises:
            ValueError: this is not HTTP.
        """
        self.buffer += data
        if not self.status and not self.read_head():
            return False
        if self.chunked:
            return self.read_chunks()
        if self.left is None:
            self.buffer.clear()
            return False
        return len(self.buffer) >= self.left

    def read_head(self) -> bool:
        """Read status and headers, over any 1xx before them."""
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        lines = head.decode("latin-1").split("\r\n")
        if not lines[0].startswith("HTTP/1."):
            raise ValueError("not HTTP/1")
        self.buffer, status = rest, int(lines[0][9:12])
        if status < 200:
            return self.read_head()
        pairs = (line.partition(":") for line in lines[1:])
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}
        self.status = status
        self.chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        length = self.headers.get("content-length")
        self.left = 0 if status in (204, 304) else None if length is None else int(length)
        return True

    def read_chunks(self) -> bool:
        """Drop whole chunks; True after the last one."""
        while True:
            size_text, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                return False
            size = int(size_text.split(b";")[0], 16)
            if size == 0:
                return rest.startswith(b"\r\n") or b"\r\n\r\n" in rest
            if size > BODY_BYTES_MAX:
                raise ValueError("chunk too large")
            if len(rest) < size + 2:
                return False
            self.buffer = rest[size + 2 :]

    @property
    def reusable(self) -> bool:
        """Whether another request may follow on this connection."""
        closes = self.headers.get("connection", "").lower() == "close"
        return not closes and (self.chunked or self.left is not None)


class Connection(asyncio.Protocol):
    """One keep-alive connection, carrying at most one call at a time."""

    def __init__(self, visitors: Run) -> None:
        self.visitors = visitors
        self.transport: asyncio.Transport | None = None
        self.call: Call | None = None
        self.reply = Reply()
        self.used = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, call: Call) -> None:
        """Put a call on the wire."""
        assert self.transport
        self.call, self.reply = call, Reply()
        call.reused, self.used, call.sent = self.used, True, time.monotonic()
        self.transport.write(self.visitors.wire(call))

    def data_received(self, data: bytes) -> None:
        """Collect the response; hand over the call when it is whole."""
        if self.call is None:
            self.abort()
            return
        try:
            whole = self.reply.feed(data)
        except ValueError:
            self.fail("malformed")
            return
        if whole:
            self.complete()

    def complete(self) -> None:
        """The response is whole: report it and rejoin the pool."""
        call, self.call = self.call, None
        assert call
        assert self.transport
        call.status = self.reply.status
        call.version = self.reply.headers.get(VERSION_HEADER, "")
        if self.reply.reusable:
            self.visitors.idle.append(self)
        else:
            self.transport.close()
        self.visitors.finish(call, "status" if call.status >= 500 else "")

    def connection_lost(self, exc: Exception | None) -> None:
        """Decide what the end of the connection means for the call on it."""
        self.visitors.forget(self)
        if self.call is None:
            return
        reply = self.reply
        if reply.status and reply.left is None and not reply.chunked and exc is None:
            self.complete()
        elif reply.status or reply.buffer:
            self.fail("truncated")
        elif self.call.method == "GET" and self.call.reused and not self.call.retried:
            call, self.call = self.call, None
            self.visitors.retry(call)
        else:
            self.fail("reset" if exc else "closed")

    def fail(self, kind: str) -> None:
        """Give the call up and drop the connection."""
        call, self.call = self.call, None
        self.abort()
        if call:
            self.visitors.finish(call, kind)

    def abort(self) -> None:
        """Drop the connection at once."""
        if self.transport:
            self.transport.abort()
