"""HTTP/1.1 on one connection: requests in, responses out."""

import json
import socket
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Self
from urllib.parse import parse_qsl, unquote

HEAD_BYTES_MAX = 16_384
BODY_BYTES_MAX = 65_536  # a cart is small
READ_SECONDS = 10.0  # for the rest of a request once its first byte came
CLOSE_SECONDS = 0.2


class BadRequest(Exception):
    """What was sent is not a request the shop can take."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(slots=True)
class Request:
    """One request, whole."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes
    last: bool  # no other request follows on this connection

    @property
    def is_head(self) -> bool:
        """Whether the answer must come without its body."""
        return self.method == "HEAD"


@dataclass(slots=True)
class Response:
    """One response, whole."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: object, status: int = 200) -> Self:
        """A value as JSON."""
        return cls(status, json.dumps(value).encode() + b"\n")

    @classmethod
    def problem(cls, status: int, detail: str) -> Self:
        """A problem as RFC 9457 describes them."""
        title = HTTPStatus(status).phrase
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        return cls(status, json.dumps(body).encode() + b"\n", "application/problem+json")


class Connection:
    """A client's connection and the bytes that came ahead of their turn."""

    def __init__(self, peer: socket.socket) -> None:
        peer.settimeout(READ_SECONDS)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer = peer
        self._buffer = b""
        self.closed = False

    def fileno(self) -> int:
        """For selectors."""
        return self._peer.fileno()

    @property
    def buffered(self) -> bool:
        """Whether the next request has already begun to arrive."""
        return self._buffer != b""

    def close(self) -> None:
        """Hang up."""
        self.closed = True
        self._peer.close()

    def read(self) -> Request | None:
        """The next request; None when the client hung up before sending one.

        Raises:
            BadRequest: it is malformed or too large.
            OSError: the connection broke or was too slow.
        """
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise BadRequest(431, "the header is too large")
            if not self._more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        request = parse(head.decode("latin-1"))
        if request.headers.get("expect", "").lower() == "100-continue":
            self._peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = self._body(request.headers)
        return request

    def _more(self) -> bool:
        data = self._peer.recv(65_536)
        self._buffer += data
        return data != b""

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._more():
                raise ConnectionResetError("the client hung up inside a request")
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > BODY_BYTES_MAX or not self._more():
                raise BadRequest(400, "a chunk has no end")
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _body(self, headers: dict[str, str]) -> bytes:
        coding, length = headers.get("transfer-encoding"), headers.get("content-length", "0")
        if coding is None:
            if not length.isdecimal():
                raise BadRequest(400, "Content-Length is not a number")
            if int(length) > BODY_BYTES_MAX:
                raise BadRequest(413, f"the body is larger than {BODY_BYTES_MAX} bytes")
            return self._take(int(length))
        if coding.lower() != "chunked" or "content-length" in headers:
            raise BadRequest(400, "the length of the body is ambiguous")
        return self._chunks()

    def _chunks(self) -> bytes:
        body = b""
        while size := chunk_size(self._line()):
            if len(body) + size > BODY_BYTES_MAX:
                raise BadRequest(413, f"the body is larger than {BODY_BYTES_MAX} bytes")
            body += self._take(size)
            self._take(2)
        while self._line():
            pass  # Trailers say nothing the shop needs.
        return body

    def write(self, response: Response, *, last: bool, head: bool = False) -> None:
        """Send a response; hang up when it is the last."""
        lines = [
            f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
            f"Date: {formatdate(usegmt=True)}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        if last:
            lines.append("Connection: close")
        text = "\r\n".join(lines) + "\r\n\r\n"
        self._peer.sendall(text.encode("latin-1") + (b"" if head else response.body))
        if last:
            self._hang_up()

    def _hang_up(self) -> None:
        """Close in two steps: a plain close with unread bytes would reset, and lose the answer."""
        self._peer.shutdown(socket.SHUT_WR)
        self._peer.settimeout(CLOSE_SECONDS)
        try:
            while self._peer.recv(65_536):
                pass
        except TimeoutError:
            pass
        self.close()


def chunk_size(line: bytes) -> int:
    """The size a chunk's first line announces."""
    try:
        return int(line.split(b";")[0], 16)
    except ValueError:
        raise BadRequest(400, "a chunk has no size") from None


def parse(head: str) -> Request:
    """A request without its body."""
    first, *rest = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest(400, "this is not HTTP/1.1")
    method, target, protocol = words
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(400, "a header has no name")
        headers[name.lower()] = value.strip()
    wish = headers.get("connection", "").lower()
    last = wish == "close" or (protocol == "HTTP/1.0" and wish != "keep-alive")
    return Request(method, unquote(path), dict(parse_qsl(query)), headers, b"", last)
