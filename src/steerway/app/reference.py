"""Writes the reference from the code: settings, descriptor, commands, routes, events, errors.

python -m steerway.app.reference docs/reference
"""

import inspect
import pkgutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import click

import steerway
from steerway.app import django_setup
from steerway.app.cli import COMMANDS, Lazy
from steerway.app.cli import steerway as root_command
from steerway.platform.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    SteerwayError,
    Unavailable,
)
from steerway.platform.settings import PREFIX, Settings

HEAD = "# {title}\n\n*Generated from the code by `make docs`; edit the code.*\n"
KINDS = {Forbidden: 403, NotFound: 404, Refused: 409, Invalid: 422, Unavailable: 503}


def pages() -> dict[str, str]:
    """Every page of the reference by its file name."""
    django_setup.load()
    return {
        "settings.md": _settings(),
        "descriptor.md": _descriptor(),
        "commands.md": _commands(),
        "api.md": _api(),
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
    """Every error that Steerway answers with, by name."""
    found = {
        value
        for module in modules()
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, SteerwayError) and value.__module__ == module.__name__
    }
    return sorted(
        found - {SteerwayError, *KINDS}, key=lambda error: (error.code(), error.__module__)
    )


def modules() -> Iterator[Any]:
    """Every module of the product, except migrations and scripts that run when imported."""
    for found in pkgutil.walk_packages(steerway.__path__, "steerway."):
        if ".migrations" not in found.name and not found.name.endswith("__main__"):
            yield import_module(found.name)


def _settings() -> str:
    rows = [
        (
            f"`{PREFIX}{spec.name.upper()}`",
            f"`{spec.default}`" if spec.default not in ("", ()) else "",
            spec.metadata["description"],
        )
        for spec in fields(Settings)
    ]
    intro = "\nEach may also be given as `…_FILE`, the path of a file that holds the value.\n"
    return (
        HEAD.format(title="Settings") + intro + _table(("variable", "default", "what it is"), rows)
    )


def _descriptor() -> str:
    from steerway.app.descriptor import json_schema  # noqa: PLC0415 -- after Django is loaded

    schema = json_schema()
    lines = [HEAD.format(title="Descriptor")]
    definitions = schema.get("$defs", {})
    rows = list(_properties(schema, definitions, ""))
    lines.append(_table(("key", "type", "default", "what it is"), rows))
    return "\n".join(lines)


def _properties(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, ...]]:
    required = set(schema.get("required", ()))
    for name, one in schema.get("properties", {}).items():
        shape = _resolved(one, definitions)
        default = "required" if name in required else _code(one.get("default"))
        description = one.get("description") or shape.get("description", "")
        yield f"`{prefix}{name}`", _type_of(one, definitions), default, description
        inner = (
            _resolved(shape.get("items", {}), definitions)
            if shape.get("type") == "array"
            else shape
        )
        mark = "[]." if inner is not shape else "."
        yield from _properties(inner, definitions, f"{prefix}{name}{mark}")


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    for option in (schema, *schema.get("allOf", ()), *schema.get("anyOf", ())):
        if "$ref" in option:
            found: Mapping[str, Any] = definitions[option["$ref"].rpartition("/")[2]]
            return found
    return schema


def _type_of(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_of(option, definitions) for option in schema["anyOf"])
    shape = _resolved(schema, definitions)
    if "enum" in shape:
        return " or ".join(f"`{value}`" for value in shape["enum"])
    if "const" in shape:
        return f"`{shape['const']}`"
    return str(shape.get("type", ""))


def _code(value: object) -> str:
    return "" if value in (None, "", [], {}, ()) or isinstance(value, dict) else f"`{value}`"


def _commands() -> str:
    lines = [HEAD.format(title="Commands")]
    lines.append(
        "\nExit codes: 0 done; 1 refused or failed; 2 wrong input; 3 not allowed; "
        "4 the server does not answer; 130 interrupted.\n"
    )
    context = click.Context(root_command, info_name="steerway")
    for name in COMMANDS:
        command = root_command.get_command(context, name)
        assert command is not None
        lines += _command(command, f"steerway {name}")
    return "\n".join(lines)


def _command(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    yield f"\n## {path}\n"
    yield (command.help or "").strip() + "\n"
    if isinstance(command, click.Group) and not isinstance(command, Lazy):
        for name in command.list_commands(context):
            yield from _command(command.commands[name], f"{path} {name}")
        return
    yield f"    {command.get_usage(context).removeprefix('Usage: ')}\n"
    rows = [
        (f"`{' '.join(p.opts)}`", p.help or "")
        for p in command.params
        if isinstance(p, click.Option)
    ]
    if rows:
        yield _table(("option", "what it does"), rows)


def _api() -> str:
    from steerway.app.urls import api  # noqa: PLC0415 -- after Django is loaded

    rows = []
    for path, methods in sorted(api.get_openapi_schema()["paths"].items()):
        for method, operation in methods.items():
            summary = operation.get("description") or operation.get("summary", "")
            rows.append((f"`{method.upper()} {path}`", " ".join(summary.split())))
    intro = "\nThe full description is served at `/api/schema` (OpenAPI 3.1).\n"
    return HEAD.format(title="API") + intro + _table(("route", "what it does"), rows)


def _events() -> str:
    rows = [(f"`{name}`", text) for name, text in events().items()]
    return HEAD.format(title="Events") + _table(("type", "when"), rows)


def _errors() -> str:
    rows = []
    for error in errors():
        status = next((code for kind, code in KINDS.items() if issubclass(error, kind)), 500)
        message = getattr(error, "message", "") or (error.__doc__ or "").partition("\n")[0]
        rows.append((f"`{error.code()}`", str(status), message.replace("\n", " ")))
    return HEAD.format(title="Errors") + _table(("code", "status", "sentence"), rows)


def _permissions() -> str:
    from steerway.app.permissions import PERMISSIONS  # noqa: PLC0415 -- after Django is loaded

    rows = [(f"`{name}`", role.value) for name, role in sorted(PERMISSIONS.items())]
    intro = (
        "\nRoles grow: viewer, developer, operator, admin. Each may do what the ones before may.\n"
    )
    return HEAD.format(title="Permissions") + intro + _table(("permission", "least role"), rows)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["", f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the pages into the folder named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
