"""Envoy's admin interface, over its unix socket."""

import socket
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import quote

from steerway.delivery.router.errors import RouterDown

TIMEOUT_SECONDS: Final = 5.0
ANSWER_BYTES_MAX: Final = 32_000_000


class _Unix(HTTPConnection):
    """HTTP to a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("router", timeout=TIMEOUT_SECONDS)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Admin:
    """Questions to a running Envoy.

    Raises: every method raises RouterDown when it does not answer.
    """

    def __init__(self, path: Path, log: Path) -> None:
        self.path = path
        self.log = log

    def get(self, target: str) -> str:
        """The body of an answer."""
        return self._ask("GET", target)

    def post(self, target: str) -> str:
        """The body of the answer to a command."""
        return self._ask("POST", target)

    def statistics(self, pattern: str) -> dict[str, str]:
        """Counters, gauges and texts whose name matches a regular expression."""
        lines = self.get(f"/stats?filter={quote(pattern)}").splitlines()
        pairs = (line.rpartition(": ") for line in lines)
        return {name: value.strip('"') for name, _, value in pairs}

    def _ask(self, method: str, target: str) -> str:
        connection = _Unix(self.path)
        try:
            connection.request(method, target)
            return connection.getresponse().read(ANSWER_BYTES_MAX).decode()
        except (OSError, HTTPException) as error:
            raise RouterDown(reason=str(error) or type(error).__name__, log=self.log) from error
        finally:
            connection.close()
