"""A server that fails on purpose and keeps count of how."""

import itertools
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

GOOD = b"HTTP/1.1 200 OK\r\nx-shop-version: v9\r\nContent-Length: 2\r\n\r\nok"
BAD = GOOD.replace(b"200 OK", b"503 Service Unavailable")
CUT = GOOD.replace(b"Content-Length: 2", b"Content-Length: 99")
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nx-shop-version: v9\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nok\r\n0\r\n\r\n"
)
FAULTS = {"good": GOOD, "chunked": CHUNKED, "status": BAD, "truncated": CUT, "closed": b""}
HANGS_UP = ("truncated", "closed", "malformed")


class FaultyServer:
    """Answers each request as a script says, round and round."""

    def __init__(self, listener: socket.socket, script: list[str]) -> None:
        self.listener = listener
        self.port: int = listener.getsockname()[1]
        self.done: Counter[str] = Counter()
        self._script = itertools.cycle(script)
        self._lock = threading.Lock()

    def serve(self) -> None:
        """Take connections until the listener closes."""
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(peer,), daemon=True).start()

    def _converse(self, peer: socket.socket) -> None:
        with peer, suppress(OSError):  # a client that gave up is part of the plan
            while self._read(peer):
                with self._lock:
                    fault = next(self._script)
                    self.done[fault] += 1
                if fault == "timeout":
                    continue
                peer.sendall(FAULTS.get(fault, b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))
                if fault in HANGS_UP:
                    break

    def _read(self, peer: socket.socket) -> bool:
        """Read one request; False when there is none."""
        data = b""
        while b"\r\n\r\n" not in data or (data.startswith(b"POST") and not data.endswith(b"}")):
            more = peer.recv(65_536)
            if not more:
                return False
            data += more
        return True


@contextmanager
def faulty(script: list[str]) -> Iterator[FaultyServer]:
    """A server that runs while the block does."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server = FaultyServer(listener, script)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
