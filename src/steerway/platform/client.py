"""The command line's way to the server: HTTP over the unix socket, or to an address with a token.

Standard library only: a `status` must not wait for imports.
"""

import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from steerway.platform.errors import SteerwayError, Unavailable

TIMEOUT_SECONDS: Final = 30
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
PROBLEM: Final = 400
# What stays as it is in an address, for it says what is what; all else may be part of a name.
SPOKEN: Final = "/?&=:,+%~"
BROKEN: Final = 500
# What a terminal obeys instead of showing it; and what turns the direction of text round.
COLOURS: Final = re.compile(r"\x1b\[[0-9;:]*m")
CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|\r(?!\n)"
)


class ServerDown(Unavailable):
    """Nobody answers."""

    message = "The server at {where} does not answer ({cause}). Start it with `steerway up`."


class Problem(SteerwayError):
    """The server said no; `status`, `kind` and `problem` carry what it said."""

    message = "{detail}"

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        """Keep the answer."""
        self.status = status
        self.problem = problem
        self.kind = str(problem.get("type", "")).rpartition("/")[2]
        super().__init__(detail=problem.get("detail") or problem.get("title") or f"HTTP {status}")


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Client:
    """Requests to one server. Each method gives the decoded answer, or raises.

    Answers quote what programs print and what people commit: their texts come as `visible`.
    """

    def __init__(self, where: str, token: str = "") -> None:
        """Talk to `where`: an http(s) address, or the path of a unix socket."""
        self.where = where
        self._token = token

    def get(self, path: str) -> Any:
        """Read."""
        return self._decoded("GET", path)

    def post(self, path: str, body: object = None) -> Any:
        """Make."""
        return self._decoded("POST", path, body)

    def put(self, path: str, body: object = None) -> Any:
        """Set."""
        return self._decoded("PUT", path, body)

    def patch(self, path: str, body: object = None) -> Any:
        """Change."""
        return self._decoded("PATCH", path, body)

    def delete(self, path: str) -> Any:
        """Remove."""
        return self._decoded("DELETE", path)

    def lines(self, path: str) -> Iterator[str]:
        """The lines of a streamed answer, as they come.

        Raises:
            ServerDown: nobody answers, or the stream breaks.
            Problem: the server said no.
        """
        with self._asked("GET", path) as answer:
            if answer.status >= PROBLEM:
                raise Problem(answer.status, _problem(answer, answer.read(ANSWER_BYTES_MAX)))
            for line in answer:
                yield visible(line.decode(errors="replace").rstrip("\r\n"))

    def _decoded(self, method: str, path: str, body: object = None) -> Any:
        with self._asked(method, path, body) as answer:
            content = answer.read(ANSWER_BYTES_MAX)
        if answer.status >= PROBLEM:
            raise Problem(answer.status, _problem(answer, content))
        try:
            return _shown(json.loads(content)) if content else None
        except ValueError as error:
            raise ServerDown(where=self.where, cause="what answers is not Steerway") from error

    @contextmanager
    def _asked(self, method: str, path: str, body: object = None) -> Iterator[HTTPResponse]:
        """The answer, its body not read yet; its connection ends with the block."""
        # One answer a connection: who asks again and again leaves no open sockets behind.
        headers = {"Accept": "application/json", "Connection": "close"}
        headers["User-Agent"] = "steerway-cli"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = self._connection()
        try:
            connection.request(method, quote(path, safe=SPOKEN), content, headers)
            with connection.getresponse() as answer:
                yield answer
        except (OSError, HTTPException) as error:
            raise ServerDown(where=self.where, cause=_cause(error)) from error
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        if self.where.startswith("/"):
            return _UnixConnection(Path(self.where), TIMEOUT_SECONDS)
        parts = urlsplit(self.where)
        host = parts.hostname or "localhost"
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return HTTPSConnection(host, parts.port, timeout=TIMEOUT_SECONDS, context=context)
        return HTTPConnection(host, parts.port, timeout=TIMEOUT_SECONDS)


def visible(text: str) -> str:
    """The text without colours, and with everything else that a terminal would obey spelled out."""
    if text.isprintable():
        return text
    plain = COLOURS.sub("", text)
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), plain)


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [_shown(one) for one in value]
    if isinstance(value, dict):
        return {visible(key): _shown(one) for key, one in value.items()}
    return value


def _cause(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is not running"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def _problem(answer: HTTPResponse, content: bytes) -> dict[str, Any]:
    try:
        problem = _shown(json.loads(content))
    except ValueError:
        if answer.status >= BROKEN:
            return {"detail": "The server failed. See log/server.log in its home directory."}
        said = visible(f"The server answers {answer.status} {answer.reason}.")
        return {"detail": said}
    return problem if isinstance(problem, dict) else {"detail": str(problem)}
