"""One page over HTTP, within a time and a size that hold whatever the other side does."""

import socket
import ssl
import time
import zlib
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from steerway.telemetry.scraping.errors import PageRefused, ScrapeFailed

BYTES_MAX: Final = 32 * 1024 * 1024
CHUNK: Final = 256 * 1024
OK: Final = 200
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
ACCEPT: Final = (
    "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.6,*/*;q=0.1"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A page as it came."""

    status: int
    content_type: str
    body: bytes
    not_after: float | None = None

    @property
    def is_openmetrics(self) -> bool:
        """Whether it is in that format, whose timestamps are in seconds."""
        return self.content_type.startswith("application/openmetrics-text")


class _Bounded:
    """A socket that waits until a moment and no longer, however slowly bytes come."""

    until: float = float("inf")

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        """As a socket, but for the time."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("it did not answer in time")
        self.settimeout(left)  # type: ignore[attr-defined]  # the socket that it is mixed into
        found: int = super().recv_into(*arguments, **options)  # type: ignore[misc]  # the same
        return found


class _Plain(_Bounded, socket.socket):
    pass


class _Secure(_Bounded, ssl.SSLSocket):
    pass


def fetch(url: str, limit: timedelta, *, bytes_max: int = BYTES_MAX) -> Answer:
    """What a GET answers. Redirects are not followed.

    Raises:
        ScrapeFailed: there is no answer within the limit.
        PageRefused: the answer is larger than it may be.
    """
    parts = urlsplit(url)
    until = time.monotonic() + limit.total_seconds()
    try:
        connection = _connected(parts, until)
        try:
            connection.request("GET", _path(parts), headers=_headers(parts))
            with connection.getresponse() as answer:
                body = _body(answer, url, bytes_max)
            return Answer(
                answer.status, answer.getheader("Content-Type", ""), body, _not_after(connection)
            )
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError, zlib.error) as error:
        raise ScrapeFailed(url=url, why=_why(error)) from error


def _connected(parts: SplitResult, until: float) -> HTTPConnection:
    host, port = parts.hostname or "", parts.port
    left = max(until - time.monotonic(), 0.001)
    secure = parts.scheme == "https"
    plain = socket.create_connection((host, port or (443 if secure else 80)), timeout=left)
    bounded: socket.socket = _Plain(fileno=plain.detach())
    try:
        bounded.settimeout(left)
        if secure:
            context = ssl.create_default_context()
            context.sslsocket_class = _Secure
            bounded = context.wrap_socket(bounded, server_hostname=host)
    except BaseException:
        bounded.close()
        raise
    bounded.until = until  # type: ignore[attr-defined]  # both classes have it
    connection = (HTTPSConnection if secure else HTTPConnection)(host, port, timeout=left)
    connection.sock = bounded
    return connection


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _headers(parts: SplitResult) -> dict[str, str]:
    # Within one machine, to compress costs both sides more than to copy.
    coding = "identity" if parts.hostname in LOOPBACK else "gzip"
    return {
        "Accept": ACCEPT,
        "Accept-Encoding": coding,
        "Connection": "close",
        "User-Agent": "steerway",
    }


def _body(answer: HTTPResponse, url: str, bytes_max: int) -> bytes:
    is_packed = answer.getheader("Content-Encoding", "").lower() == "gzip"
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if is_packed else None
    chunks, size = [], 0
    while chunk := answer.read1(CHUNK):
        if unpack is not None:
            chunk = unpack.decompress(chunk, bytes_max + 1 - size)
        size += len(chunk)
        if size > bytes_max or (unpack is not None and unpack.unconsumed_tail):
            raise PageRefused(url=url, why=f"its page has more than {bytes_max} bytes")
        chunks.append(chunk)
    if unpack is not None and not unpack.eof:
        raise PageRefused(url=url, why="its page ends in the middle")
    return b"".join(chunks)


def _not_after(connection: HTTPConnection) -> float | None:
    """When the certificate of the other side ends; None without one."""
    if not isinstance(connection.sock, ssl.SSLSocket):
        return None
    found = connection.sock.getpeercert() or {}
    return ssl.cert_time_to_seconds(str(found["notAfter"])) if "notAfter" in found else None


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
