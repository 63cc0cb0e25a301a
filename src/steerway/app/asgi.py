"""The server's front: event streams here, everything else to Django in a pool of threads.

Two doors lead in. The network door is plain. The local door is a unix socket that only the
owner of the home directory may open; its requests carry the client address `local`, which
no network client can have, because that address is set here and nowhere else.
"""

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send
from django.core.wsgi import get_wsgi_application

from steerway.app.events import Stream

LOCAL = "local"


class Front:
    """The ASGI application behind both doors."""

    def __init__(self, stream: Stream, threads: int) -> None:
        """Serve `threads` requests at the same time; streams do not count."""
        self._stream = stream
        self._django = WSGIMiddleware(get_wsgi_application(), workers=threads)  # type: ignore[arg-type] # Django's answer is an iterable

    async def close(self) -> None:
        """End the streams, which would keep the server from stopping."""
        await self._stream.close()

    def door(self, *, local: bool) -> ASGIApp:
        """The application for one listener."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return
            scope["client"] = (LOCAL, 0) if local else _network_client(scope)
            if scope["path"] == "/events":
                await self._stream(scope, receive, send)
            else:
                await self._django(scope, receive, send)

        return serve


def _network_client(scope: HTTPScope) -> tuple[str, int]:
    """The peer's address. A peer that has hung up has none; it is not taken for the owner."""
    client = scope.get("client")
    return ("unknown", 0) if client is None or client[0] == LOCAL else client
