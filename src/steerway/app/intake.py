"""The doors for telemetry: OTLP over HTTP, and Prometheus remote write.

Beside Django, because bodies are larger here and an answer waits until its rows are in the journal.
Source: OTLP specification 1.x, "OTLP/HTTP"; Prometheus Remote-Write Specification 1.0.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from a2wsgi.asgi_typing import HTTPScope, Receive, Send

from steerway.platform.errors import SteerwayError, Unavailable
from steerway.telemetry.decoding.attributes import Place
from steerway.telemetry.decoding.errors import (
    BodyInvalid,
    BodyTooLarge,
    FormUnknown,
    TooMany,
)
from steerway.telemetry.decoding.protobuf import ANSWER, messages
from steerway.telemetry.receiving.workflows import Received, Receiver

WRITE: Final = "/api/v1/write"
# By path: the method of the receiver, and what OTLP calls the number of rows not taken.
SIGNALS: Final = {
    "/v1/metrics": ("metrics", "rejectedDataPoints"),
    "/v1/logs": ("logs", "rejectedLogRecords"),
    "/v1/traces": ("spans", "rejectedSpans"),
}
PROTOBUF, JSON = "application/x-protobuf", "application/json"
THREADS: Final = 4
BODY_SECONDS: Final = 20.0
AGAIN_SECONDS: Final = 2  # what a sender is told to wait when there is no room
WIRE: Final = messages(ANSWER)
# Source: google.rpc.Code, which OTLP's error answers carry.
CODES: Final = {400: 3, 401: 16, 403: 7, 405: 3, 408: 4, 413: 3, 415: 3, 429: 8, 503: 14}
ROWS_MAX: Final = 2**31
UNKNOWN: Final = 401


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender hears."""

    status: int
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who sends telemetry: whether they may, and of which one place alone."""

    may: bool
    place: Place | None = None


class _No(Exception):
    """A request that is refused: a status, and a sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class TelemetryDoor:
    """Answers senders of telemetry, at both doors."""

    def __init__(
        self,
        receiver: Callable[[], Receiver],
        writer: Callable[[HTTPScope], Writer | None],
        *,
        body_bytes: int,
        held_bytes: int,
    ) -> None:
        """`receiver` raises `Unavailable` while there is none.

        `writer` says None when nobody is known by the credentials that came.
        """
        self._receiver = receiver
        self._writer = writer
        self._body_bytes = body_bytes
        self._most_bytes = held_bytes
        self._held_bytes = 0
        self._threads = ThreadPoolExecutor(THREADS, "telemetry")
        self._is_closed = False

    def takes(self, scope: HTTPScope) -> bool:
        """Whether a request is for it."""
        return scope["path"] in SIGNALS or scope["path"] == WRITE

    async def close(self) -> None:
        """Take no more; what has been received is still answered."""
        self._is_closed = True

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        is_json = _media_type(headers) == JSON
        try:
            answer = await self._answer(scope, headers, receive)
        except _No as error:
            answer = _problem(scope["path"], error.status, str(error), is_json=is_json)
        except SteerwayError as error:
            answer = _problem(scope["path"], _status(error), str(error), is_json=is_json)
        if answer is not None:
            await _send(send, answer)

    async def _answer(
        self, scope: HTTPScope, headers: dict[bytes, str], receive: Receive
    ) -> Answer | None:
        if self._is_closed:
            raise _No(503, "The server is stopping. Send it again.")
        if scope["method"] != "POST":
            raise _No(405, "Send telemetry with POST.")
        _check_form(scope["path"], headers)
        loop = asyncio.get_running_loop()
        writer = await loop.run_in_executor(self._threads, self._writer, scope)
        if writer is None or not writer.may:
            raise _no_entry(is_known=writer is not None)
        if writer.place and scope["path"] == WRITE:
            # Its series name their service in labels that anybody may write.
            raise _No(403, "This token is bound to one service; send OTLP with it.")
        with self._holding() as body:
            try:
                is_whole = await asyncio.wait_for(self._fill(body, headers, receive), BODY_SECONDS)
            except TimeoutError as error:
                raise _No(408, f"The body did not come within {BODY_SECONDS:g} seconds.") from error
            if not is_whole:
                return None
            task = partial(self._take, scope["path"], headers, bytes(body), writer.place)
            received = await loop.run_in_executor(self._threads, task)
        return _success(scope["path"], received, is_json=_media_type(headers) == JSON)

    @contextlib.contextmanager
    def _holding(self) -> Iterator[bytearray]:
        """A body that is counted among those that are held."""
        body = bytearray()
        try:
            yield body
        finally:
            self._held_bytes -= len(body)

    async def _fill(self, body: bytearray, headers: dict[bytes, str], receive: Receive) -> bool:
        """Read a body; False when its sender leaves before its end."""
        said = headers.get(b"content-length", "0")
        if said.isdecimal() and int(said) > self._body_bytes:
            raise BodyTooLarge(most=self._body_bytes, when="as it was sent")
        while True:
            event = await receive()
            if event["type"] != "http.request":
                return False
            body += event["body"]
            self._held_bytes += len(event["body"])
            if len(body) > self._body_bytes:
                raise BodyTooLarge(most=self._body_bytes, when="as it was sent")
            if self._held_bytes > self._most_bytes:
                raise TooMany(held=self._held_bytes, most=self._most_bytes)
            if not event["more_body"]:
                return True

    def _take(
        self, path: str, headers: dict[bytes, str], body: bytes, place: Place | None
    ) -> Received:
        receiver = self._receiver()
        if path == WRITE:
            return receiver.write(body)
        encoding = headers.get(b"content-encoding", "").strip().lower()
        signal, _ = SIGNALS[path]
        take: Callable[..., Received] = getattr(receiver, signal)
        return take(body, encoding, is_json=_media_type(headers) == JSON, place=place)


def _media_type(headers: dict[bytes, str]) -> str:
    return headers.get(b"content-type", "").partition(";")[0].strip().lower()


def _check_form(path: str, headers: dict[bytes, str]) -> None:
    kind = headers.get(b"content-type", "").lower().replace(" ", "")
    if path != WRITE:
        if _media_type(headers) not in (PROTOBUF, JSON):
            raise _No(415, f"Send {PROTOBUF} or {JSON}.")
        return
    if _media_type(headers) != PROTOBUF or "io.prometheus.write.v2" in kind:
        raise _No(415, "Remote write 1.0 is read here: prometheus.WriteRequest as protobuf.")
    if headers.get(b"content-encoding", "snappy").strip().lower() != "snappy":
        raise _No(415, "Remote write is packed with snappy.")


def _no_entry(*, is_known: bool) -> _No:
    if is_known:
        return _No(403, "This token may not write telemetry; its scopes or its role leave it out.")
    return _No(UNKNOWN, "Send a token that may write telemetry: Authorization: Bearer swy_…")


def _status(error: SteerwayError) -> int:
    if isinstance(error, BodyTooLarge):
        return 413
    if isinstance(error, FormUnknown):
        return 415
    if isinstance(error, Unavailable):
        return 503
    return 400 if isinstance(error, BodyInvalid) else 500


def _success(path: str, received: Received, *, is_json: bool) -> Answer:
    rows = min(received.refusals.rows, ROWS_MAX)
    text = received.refusals.text()
    if path == WRITE:
        # What is refused will be refused again: 400 keeps Prometheus from sending it for ever.
        return Answer(400, text.encode()) if rows else Answer(204)
    if is_json:
        partial: dict[str, Any] = {}
        if rows:
            partial = {"partialSuccess": {SIGNALS[path][1]: str(rows), "errorMessage": text}}
        return Answer(200, json.dumps(partial).encode(), JSON)
    answer = WIRE["Answer"]()
    if rows:
        answer.partial_success.rejected = rows
        answer.partial_success.error_message = text
    return Answer(200, answer.SerializeToString(), PROTOBUF)


def _problem(path: str, status: int, text: str, *, is_json: bool) -> Answer:
    if path == WRITE:
        return Answer(status, f"{text}\n".encode())
    if is_json:
        body = {"code": CODES.get(status, 13), "message": text}
        return Answer(status, json.dumps(body).encode(), JSON)
    problem = WIRE["Problem"](code=CODES.get(status, 13), message=text)
    return Answer(status, problem.SerializeToString(), PROTOBUF)


async def _send(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.kind.encode()),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    if answer.status in (429, 503):
        headers.append((b"retry-after", str(AGAIN_SECONDS).encode()))
    if answer.status == UNKNOWN:
        headers.append((b"www-authenticate", b'Bearer realm="steerway"'))
    if answer.status in (401, 403, 408, 413, 415, 503):
        # What is left of the body is not read.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
