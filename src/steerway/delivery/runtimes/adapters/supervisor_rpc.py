"""supervisord's XML-RPC over its unix socket, by the standard library."""

import http.client
import socket
import xmlrpc.client
from enum import IntEnum
from pathlib import Path
from typing import Any

from steerway.delivery.runtimes.errors import SupervisorDown, SupervisorRefused

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES_MAX = 16 * 1024 * 1024


class Fault(IntEnum):
    """Faults that are answers rather than failures. Source: supervisor.xmlrpc.Faults."""

    SHUTDOWN_STATE = 6
    BAD_NAME = 10
    ALREADY_STARTED = 60
    NOT_RUNNING = 70
    ALREADY_ADDED = 90
    STILL_RUNNING = 91


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Rpc:
    """Calls to one supervisord. Every call is a connection of its own, so threads may share it."""

    def __init__(self, path: Path, log: Path) -> None:
        self.path = path
        self.log = log

    def call(self, method: str, *arguments: str | bool, accept: tuple[Fault, ...] = ()) -> Any:
        """The answer to `supervisor.METHOD`; a fault in `accept` is returned as the answer.

        Raises:
            SupervisorDown: nobody answers.
            SupervisorRefused: any other fault.
        """
        try:
            return self._answer(xmlrpc.client.dumps(arguments, f"supervisor.{method}"))
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in accept:
                return Fault(fault.faultCode)
            name = str(arguments[0]) if arguments else "itself"
            raise SupervisorRefused(call=method, name=name, reason=fault.faultString) from fault
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise SupervisorDown(socket=self.path, reason=reason, log=self.log) from error

    def is_there(self) -> bool:
        """Whether somebody listens. A supervisord that hangs listens, too."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(TIMEOUT_SECONDS)
            try:
                probe.connect(str(self.path))
            except (ConnectionRefusedError, FileNotFoundError):
                return False
            except (TimeoutError, BlockingIOError):  # too many callers wait already
                return True
        return True

    def _answer(self, body: str) -> Any:
        connection = _Connection(str(self.path))
        try:
            connection.request("POST", "/RPC2", body.encode(), {"Content-Type": "text/xml"})
            response = connection.getresponse()
            text = response.read(ANSWER_BYTES_MAX)
            if response.status != http.client.OK:
                raise ValueError(f"status {response.status}")
        finally:
            connection.close()
        # The peer is our own supervisord on a socket that only we may open.
        values, _ = xmlrpc.client.loads(text)
        return values[0]
