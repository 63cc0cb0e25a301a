"""Writes the reference from the code: settings, descriptor, commands, routes, events, errors.

python -m steerway.app.reference docs/reference
"""

import inspect
import pkgutil
import re
import string
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from django.urls import URLResolver

import steerway
from steerway.app import django_setup
from steerway.app.reference_tables import code, one_line, page, table
from steerway.platform.client import Problem
from steerway.platform.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    SteerwayError,
    Unavailable,
)
from steerway.platform.settings import PREFIX, Settings, written

KINDS: Final = {Forbidden: 403, NotFound: 404, Refused: 409, Invalid: 422, Unavailable: 503}
CONVERTER: Final = re.compile(r"<(?:\w+:)?")  # the type that Django reads in `<str:name>`
SETTINGS_INTRO: Final = """\
What is true of this installation, read once when the server starts. A wrong or unknown variable
keeps it from starting, and every problem is named at once. Each may also be given as `…_FILE`, the
path of a file that holds the value. `steerway settings` shows the values in force."""
API_INTRO: Final = """\
Requests and answers are JSON. A request carries `Authorization: Bearer TOKEN`, with a token of
`steerway token create`; over the socket `run/server.sock` none is needed. What goes wrong is
answered as a problem (RFC 9457) whose `type` is `/errors/CODE`, with the codes of
[errors](errors.md). `/api/schema` describes all of it as OpenAPI 3.1."""
STREAM: Final = """\
`GET /events` is a stream of server-sent events: every entry of the log as it is written, as JSON,
with its number as the event's id. `after=NUMBER` or the header `Last-Event-ID` goes on from it."""
EVENTS_INTRO: Final = """\
An event is recorded in the same transaction as what it tells, and never changed. Each carries its
number, time, actor, type, subject, service, environment and data, and the hash of the one before.
`steerway log export` writes them as CloudEvents."""
ERRORS_INTRO: Final = """\
Each error is one sentence and a code that stays. The status is that of the API; the command line
leaves with 3 for 403, 2 for 422, 4 for 503 and 1 for the rest. Words in braces are fields: the
problem carries each of them beside the sentence. Two are about the request itself:
`unauthenticated` (401) comes without a sign-in or a good token, and `request-invalid` (422) names
in `errors` every part of the request that cannot be read."""
PERMISSIONS_INTRO: Final = """\
Roles grow: viewer, developer, operator, admin; each may do what the ones before may. A token may do
at most what its owner may, and only what its scopes cover: a permission, an area as
`deployments.*`, or `*`."""


def pages() -> dict[str, str]:
    """Every page of the reference by its file name."""
    django_setup.load()
    # After Django is loaded: they import what needs its settings.
    from steerway.app import (  # noqa: PLC0415
        reference_commands,
        reference_descriptor,
        reference_promql,
    )

    return {
        "settings.md": _settings(),
        "descriptor.md": reference_descriptor.text(),
        "commands.md": reference_commands.text(),
        "api.md": _api(),
        "promql.md": reference_promql.text(),
        "events.md": _events(),
        "errors.md": _errors(),
        "permissions.md": _permissions(),
    }


def events() -> dict[str, str]:
    """Every type of event and what it says, from the `EVENTS` of each process's rules."""
    found: dict[str, str] = {}
    for module in modules():
        declared: Mapping[str, str] = getattr(module, "EVENTS", {})
        found |= declared
    return dict(sorted(found.items()))


def errors() -> list[type[SteerwayError]]:
    """Every error that Steerway answers with, by its code."""
    found = {
        value
        for module in modules()
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, SteerwayError) and value.__module__ == module.__name__
    }
    # A problem is another server's error, in the command line.
    theirs = {SteerwayError, Problem, Refused, Invalid, Unavailable, NotFound}
    return sorted(found - theirs, key=lambda error: (error.code(), error.__module__))


def modules() -> Iterator[Any]:
    """Every module of the product, except migrations and scripts that run when imported."""
    for found in pkgutil.walk_packages(steerway.__path__, "steerway."):
        if ".migrations" not in found.name and not found.name.endswith("__main__"):
            yield import_module(found.name)


def routes() -> list[tuple[str, str, str]]:
    """Every route of the API: its group, method with path, and what it does."""
    from steerway.app.urls import api  # noqa: PLC0415 -- after Django is loaded

    return [
        (
            operation["tags"][0],
            f"{method.upper()} {path}",
            one_line(operation.get("description") or operation.get("summary")),
        )
        for path, methods in sorted(api.get_openapi_schema()["paths"].items())
        for method, operation in methods.items()
    ]


def addresses() -> dict[str, str]:
    """Every page's address and what it shows."""
    from steerway.app import identity_urls, page_urls  # noqa: PLC0415 -- the same

    patterns = [*page_urls.page_urls, *identity_urls.patterns(single_sign_on=False)]
    return dict(_walk("/", patterns))


def _walk(prefix: str, patterns: list[Any]) -> Iterator[tuple[str, str]]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from _walk(prefix + str(one.pattern), one.url_patterns)
            continue
        view = getattr(one.callback, "func", one.callback)  # of a partial, too
        if view.__module__.startswith("steerway."):
            text = (inspect.getdoc(view) or "").partition("\n\n")[0]
            yield prefix + CONVERTER.sub("{", str(one.pattern)).replace(">", "}"), one_line(text)


def _settings() -> str:
    rows = [
        (
            code(f"{PREFIX}{spec.name.upper()}"),
            code(written(spec.default)),
            spec.metadata["description"] + (" Secret." if spec.metadata["secret"] else ""),
        )
        for spec in fields(Settings)
    ]
    return page("Settings", SETTINGS_INTRO, table(("variable", "default", "what it is"), rows))


def _api() -> str:
    found = routes()
    parts = []
    for tag in dict.fromkeys(group for group, _, _ in found):
        rows = [(code(route), text) for group, route, text in found if group == tag]
        parts += [f"## {tag.capitalize()}", table(("route", "what it does"), rows)]
    rows = [(code(address), text) for address, text in addresses().items()]
    return page(
        "API and pages",
        API_INTRO,
        *parts,
        "## Stream",
        STREAM,
        "## Pages",
        "For people, in a browser. Forms send to the addresses that name a deed.",
        table(("address", "what it shows or does"), rows),
    )


def _events() -> str:
    rows = [(code(name), text) for name, text in events().items()]
    return page("Events", EVENTS_INTRO, table(("type", "what happened"), rows))


def _errors() -> str:
    rows = [(code(error.code()), str(_status(error)), _sentence(error)) for error in errors()]
    return page("Errors", ERRORS_INTRO, table(("code", "status", "sentence"), rows))


def _status(error: type[SteerwayError]) -> int:
    return next((status for kind, status in KINDS.items() if issubclass(error, kind)), 500)


def _sentence(error: type[SteerwayError]) -> str:
    """The sentence; where it is all fields, what it is about."""
    words = "".join(text for text, *_ in string.Formatter().parse(error.message)).strip()
    return error.message if words else one_line(inspect.getdoc(error))


def _permissions() -> str:
    from steerway.app.permissions import PERMISSIONS  # noqa: PLC0415 -- after Django is loaded

    rows = [(code(name), role.value) for name, role in sorted(PERMISSIONS.items())]
    return page("Permissions", PERMISSIONS_INTRO, table(("permission", "least role"), rows))


def main() -> None:
    """Write the pages into the folder named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
