"""The catalog in the terminal."""

import re
from pathlib import Path
from typing import Any, Final

import click

from steerway.platform.terminal import ago, connect, json_option, print_json, print_table, query

FILE: Final = "steerway.yaml"
ROWS: Final = 200
_NAME = re.compile(r"[a-z0-9-]{1,40}")
SIGNS: Final = {"new": "+", "changed": "~", "removed": "-"}

file_option = click.option(
    "--file", "-f", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=FILE,
    show_default=True, help="The descriptor.",
)  # fmt: skip


@click.command()
@file_option
@json_option
def plan(file: Path, as_json: bool) -> None:
    """Show what applying the descriptor would change, line by line."""
    name, body = _body(file)
    found = connect().post(f"/api/services/{name}/plan", body)
    if as_json:
        print_json(found)
        return
    _print_differences(found)
    if found["is_changed"]:
        click.echo(f"{_count(found)}. `steerway apply` makes it so.")


@click.command()
@file_option
@json_option
def apply(file: Path, as_json: bool) -> None:
    """Make what the descriptor says what should be true."""
    name, body = _body(file)
    found = connect().put(f"/api/services/{name}", body)
    if as_json:
        print_json(found)
        return
    _print_differences(found)
    if found["is_changed"]:
        last = list(found["environments"])[-1]
        click.echo(f"{found['service']} is applied: {_count(found)}.")
        click.echo(f"Deploy it with `steerway deploy {found['service']} --env {last}`.")


@click.command()
@json_option
def services(as_json: bool) -> None:
    """List services with their environments."""
    found = _services()
    if as_json:
        print_json(found)
        return
    print_table(
        ["service", "state", "environments", "owners", "applied", "by"],
        [
            [
                one["name"],
                "paused" if one["paused_at"] else one["state"],
                ", ".join(environment["name"] for environment in one["environments"]),
                ", ".join(one["owners"]) or "-",
                ago(one["applied_at"]),
                one["applied_by"],
            ]
            for one in found
        ],
        empty="No services yet. `steerway init` and `steerway apply` add one.",
    )


@click.command()
@click.argument("service")
@click.option("--reason", required=True, help="Why; it is shown wherever the service is shown.")
def pause(service: str, reason: str) -> None:
    """Keep Steerway's hands off SERVICE: nothing is repaired or started for it."""
    connect().put(f"/api/services/{service}/pause", {"reason": reason})
    click.echo(f"{service} is paused. `steerway resume {service}` ends it.")


@click.command()
@click.argument("service")
def resume(service: str) -> None:
    """Let Steerway look after SERVICE again."""
    connect().delete(f"/api/services/{service}/pause")
    click.echo(f"Steerway looks after {service} again.")


def _services() -> list[dict[str, Any]]:
    """All services, asked for page by page."""
    client = connect()
    found: list[dict[str, Any]] = client.get(query("/api/services", rows=ROWS))
    page = found
    while len(page) == ROWS:
        page = client.get(query("/api/services", after=page[-1]["name"], rows=ROWS))
        found = found + page
    return found


def _body(file: Path) -> tuple[str, dict[str, str]]:
    """The service that the file is of, and what the server is sent. The server validates it."""
    from steerway.platform.descriptor.errors import DescriptorInvalid  # noqa: PLC0415 - slow
    from steerway.platform.descriptor.nodes import Mapping  # noqa: PLC0415 - the same
    from steerway.platform.descriptor.problems import ordered  # noqa: PLC0415 - the same
    from steerway.platform.descriptor.reading import read  # noqa: PLC0415 - the same

    content = file.read_bytes()
    root, problems = read(content, str(file))
    if root is None or problems:
        raise DescriptorInvalid(ordered(problems))
    name = getattr(root.get("service"), "value", None)
    body = {
        "text": content.decode("utf-8-sig"),
        "file": str(file),
        "directory": str(file.absolute().parent),
    }
    flags = root.get("flags")
    named = getattr(flags.get("file"), "value", None) if isinstance(flags, Mapping) else None
    if isinstance(named, str) and (beside := file.parent / named).is_file():
        body["flags"] = beside.read_text(encoding="utf-8-sig")
    return _address(name), body


def _address(name: object) -> str:
    """A name fit for an address; where it is none, the server says what is wrong with it."""
    is_fit = isinstance(name, str) and _NAME.fullmatch(name) is not None
    return str(name) if is_fit else "unnamed"


def _print_differences(found: dict[str, Any]) -> None:
    for warning in found["warnings"]:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    if not found["is_changed"]:
        click.echo(f"0 changes: {found['service']} is as the descriptor says.")
        return
    for one in found["differences"]:
        click.echo(_line(one))
    for name, effect in found["environments"].items():
        if effect in SIGNS:
            click.echo(f"{SIGNS[effect]} environment {name}: {effect}")


def _line(one: dict[str, Any]) -> str:
    """One difference: `~ run.replicas: 2 -> 3  (steerway.yaml:14)`."""
    where = click.style(f"  ({one['file']}:{one['line']})", dim=True) if one["line"] else ""
    if one["old"] is None:
        return click.style(f"+ {one['path']}: {one['new']}", fg="green") + where
    if one["new"] is None:
        return click.style(f"- {one['path']}: {one['old']}", fg="red")
    return click.style(f"~ {one['path']}: {one['old']} -> {one['new']}", fg="yellow") + where


def _count(found: dict[str, Any]) -> str:
    count = len(found["differences"])
    return f"{count} change{'s' if count != 1 else ''}"
