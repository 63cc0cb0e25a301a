"""A small HTTP/1.1 server: a fixed number of threads, hundreds of quiet connections.

A thread holds a connection only from the first byte of a request to the last byte of its answer;
between requests the connection waits in a selector. `stop` finishes what was begun: nothing new is
accepted, every answer says `Connection: close`, and connections that stay quiet are closed last.
"""

import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from shop.wire import BadRequest, Connection, Request, Response

CONNECTIONS_MAX = 512  # well below 1,024 open files; beyond, whoever was quiet longest makes room
IDLE_SECONDS = 3660.0  # longer than a router keeps its own (1 h), so that the router closes first
DRAIN_SECONDS = 6.0  # with the last telemetry, within the 10 s of grace the descriptor gives


class Server:
    """Answers requests on one listening socket until stopped."""

    def __init__(
        self,
        listener: socket.socket,
        answer: Callable[[Request], Response],
        threads: int,
        linger: float,
    ) -> None:
        self._answer = answer
        self._threads = threads
        self._linger = linger
        self._listener: socket.socket | None = listener
        self._selector = selectors.DefaultSelector()
        self._ready: SimpleQueue[Connection] = SimpleQueue()
        self._returned: SimpleQueue[Connection] = SimpleQueue()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._quiet: dict[Connection, float] = {}  # since when; the oldest first
        self._busy = 0
        self._stopped_at: float | None = None

    @property
    def stopping(self) -> bool:
        """Whether the server is on its way out."""
        return self._stopped_at is not None

    def stop(self) -> None:
        """Finish what was begun, then return from `serve`. Safe in a signal handler."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()
        self._wake()

    def serve(self) -> bool:
        """Answer until stopped; False when requests had to be abandoned."""
        for _ in range(self._threads):
            threading.Thread(target=self._work, daemon=True).start()
        assert self._listener
        for waited_on in (self._listener, self._wake_reader, self._wake_writer):
            waited_on.settimeout(0)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        while not self._finished():
            for key, _ in self._selector.select(0.1 if self.stopping else 5.0):
                self._react(key.fileobj)
            if self.stopping and self._listener:
                self._stop_listening()
            self._close_quiet()
        return self._busy == 0

    def _react(self, source: object) -> None:
        if source is self._listener:
            self._accept()
        elif source is self._wake_reader:
            self._take_back()
        elif isinstance(source, Connection) and source in self._quiet:
            self._selector.unregister(source)
            del self._quiet[source]
            self._busy += 1
            self._ready.put(source)

    def _accept(self) -> None:
        """Take every connection that waits."""
        while self._listener:
            try:
                peer, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            if len(self._quiet) + self._busy < CONNECTIONS_MAX or self._make_room():
                self._park(Connection(peer))
            else:
                peer.close()

    def _make_room(self) -> bool:
        """Close whoever was quiet longest; False when nobody is quiet."""
        if not self._quiet:
            return False
        self._close(next(iter(self._quiet)))
        return True

    def _park(self, connection: Connection) -> None:
        self._quiet[connection] = time.monotonic()
        self._selector.register(connection, selectors.EVENT_READ)

    def _close(self, connection: Connection) -> None:
        self._selector.unregister(connection)
        del self._quiet[connection]
        connection.close()

    def _take_back(self) -> None:
        """Park the connections that threads are done with."""
        self._wake_reader.recv(4096)
        while not self._returned.empty():
            connection = self._returned.get()
            self._busy -= 1
            if not connection.closed:
                self._park(connection)

    def _stop_listening(self) -> None:
        """Take those who already knocked, then close the door."""
        self._accept()
        assert self._listener
        self._selector.unregister(self._listener)
        self._listener.close()
        self._listener = None

    def _close_quiet(self) -> None:
        """Close connections that were quiet too long; on the way out, soon."""
        limit = self._linger if self.stopping else IDLE_SECONDS
        now = time.monotonic()
        since = self._stopped_at or 0.0
        while self._quiet:
            connection, quiet_since = next(iter(self._quiet.items()))
            if now - max(quiet_since, since) < limit:
                return
            self._close(connection)

    def _finished(self) -> bool:
        if self._stopped_at is None:
            return False
        if time.monotonic() - self._stopped_at > DRAIN_SECONDS:
            return True
        return self._listener is None and not self._quiet and not self._busy

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # Enough wake-ups are waiting already.
            self._wake_writer.send(b"\0")

    def _work(self) -> None:
        while True:
            connection = self._ready.get()
            try:
                self._converse(connection)
            except OSError:
                connection.close()  # The other side went away, or was too slow.
            self._returned.put(connection)
            self._wake()

    def _converse(self, connection: Connection) -> None:
        """Answer the request that is coming in, and those already behind it."""
        while True:
            try:
                request = connection.read()
            except BadRequest as problem:
                connection.write(Response.problem(problem.status, str(problem)), last=True)
                return
            if request is None:
                connection.close()
                return
            response = self._answer(request)
            connection.write(response, last=self.stopping or request.last, head=request.is_head)
            if connection.closed or not connection.buffered:
                return
