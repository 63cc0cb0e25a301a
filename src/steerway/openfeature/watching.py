"""Middleware that counts how requests end, by the variants they were given.

    application = FlagsWsgi(application, provider)     # Flask, Django
    application = FlagsAsgi(application, provider)     # FastAPI, Starlette

A request that fails with a status from 500 on, or with an exception, is an error of each variant
that was evaluated for it before its answer began.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Protocol

from steerway.openfeature.counting import Counts, given

HEADER: Final = "x-flag-variants"
NAMED_MAX: Final = 20  # of flags in the header
FAILED: Final = 500

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Asgi = Callable[
    [Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]


class Counting(Protocol):
    """Whatever has counts: the provider."""

    counts: Counts


class FlagsWsgi:
    """Counts the requests of a WSGI application."""

    def __init__(self, application: Wsgi, provider: Counting, *, named: bool = False) -> None:
        """`named` puts the variants into a header of the answer, for logs of whoever is before."""
        self._application = application
        self._counts = provider.counts
        self._named = named

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """The application's answer."""
        variants: dict[str, str] = {}
        before = given.set(variants)
        begun = False

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            nonlocal begun
            begun = True
            self._counts.ended(variants, failed=int(status[:3]) >= FAILED)
            if self._named and variants:
                headers = [*headers, (HEADER, _header(variants))]
            return start_response(status, headers, *rest)

        try:
            return self._application(environ, started)
        except Exception:
            if not begun:
                self._counts.ended(variants, failed=True)
            raise
        finally:
            given.reset(before)


class FlagsAsgi:
    """Counts the requests of an ASGI application."""

    def __init__(self, application: Asgi, provider: Counting, *, named: bool = False) -> None:
        """`named` puts the variants into a header of the answer, for logs of whoever is before."""
        self._application = application
        self._counts = provider.counts
        self._named = named

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        variants: dict[str, str] = {}
        before = given.set(variants)
        begun = False

        async def sent(event: Any) -> None:
            nonlocal begun
            if event["type"] == "http.response.start":
                begun = True
                self._counts.ended(variants, failed=event["status"] >= FAILED)
                if self._named and variants:
                    header = HEADER.encode(), _header(variants).encode("latin-1", "replace")
                    event = {**event, "headers": [*event.get("headers", []), header]}
            await send(event)

        try:
            await self._application(scope, receive, sent)
        except Exception:
            if not begun:
                self._counts.ended(variants, failed=True)
            raise
        finally:
            given.reset(before)


def _header(variants: dict[str, str]) -> str:
    return ", ".join(f"{flag}={variant}" for flag, variant in sorted(variants.items())[:NAMED_MAX])
