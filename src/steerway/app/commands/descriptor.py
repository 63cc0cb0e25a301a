"""Descriptors in the terminal, without a server: init, check, schema and explain."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from steerway.platform.terminal import connect, json_option, print_json, print_table

if TYPE_CHECKING:
    from steerway.app.descriptor import ServiceFile
    from steerway.platform.descriptor.explaining import Row
    from steerway.platform.descriptor.problems import Problem

FILE: Final = "steerway.yaml"
INVALID: Final = 2

file_option = click.option(
    "--file", "-f", type=click.Path(dir_okay=False, path_type=Path), default=FILE,
    show_default=True, help="The descriptor.",
)  # fmt: skip


@click.command()
@click.argument(
    "directory", type=click.Path(exists=True, file_okay=False, path_type=Path), default="."
)
@click.option("--force", is_flag=True, help="Replace a steerway.yaml that is there.")
@click.option("--print", "to_stdout", is_flag=True, help="Print it, write nothing.")
def init(directory: Path, force: bool, to_stdout: bool) -> None:
    """Write a steerway.yaml from what DIRECTORY holds: Procfile, compose file and so on."""
    from steerway.app.detection.detecting import detect  # noqa: PLC0415 - slow to import
    from steerway.app.detection.writing import descriptor_text  # noqa: PLC0415 - the same

    target = directory / FILE
    if target.exists() and not force and not to_stdout:
        message = f"{target} is already there. Replace it with --force, or look with --print."
        raise click.ClickException(message)
    finding = detect(directory)
    text = descriptor_text(finding)
    if to_stdout:
        click.echo(text, nl=False)
        return
    target.write_text(text, encoding="utf-8")
    found = f"from {finding.source}" if finding.source else "as an example"
    click.echo(f"{target} is written {found}. Read it, then `steerway check` and `steerway apply`.")


@click.command()
@file_option
@json_option
def check(file: Path, as_json: bool) -> int:
    """Check a descriptor: every mistake at once, one a line, with its place."""
    from steerway.app import descriptor_advice  # noqa: PLC0415 - slow to import
    from steerway.platform.descriptor.errors import DescriptorInvalid  # noqa: PLC0415 - the same

    warnings: tuple[Problem, ...] = ()
    try:
        loaded = _load(file)
        problems = descriptor_advice.missing(loaded)
        warnings = descriptor_advice.warnings(loaded)
    except DescriptorInvalid as invalid:
        problems = invalid.problems
    if as_json:
        _print_check(problems, warnings)
        return INVALID if problems else 0
    for warning in warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    for problem in problems:
        click.echo(str(problem), err=True)
    if not problems:
        names = ", ".join(one.name for one in loaded.environments)
        click.echo(f"{file} is right: {loaded.settings.service} in {names}.")
    return INVALID if problems else 0


@click.command()
def schema() -> None:
    """Print the JSON Schema of descriptors, for editors."""
    from steerway.app import descriptor  # noqa: PLC0415 - slow to import

    print_json(descriptor.json_schema())


@click.command()
@click.argument("service", default="")
@click.option("--env", "environment", default="", help="The environment; else the last one.")
@file_option
@json_option
def explain(service: str, environment: str, file: Path, as_json: bool) -> None:
    """Show each value in force and the line it comes from.

    With SERVICE, what is applied on the server; without, what the file here says.
    """
    from steerway.app import descriptor  # noqa: PLC0415 - slow to import
    from steerway.platform.descriptor.explaining import explain as rows  # noqa: PLC0415 - the same

    if service:
        applied = connect().get(f"/api/services/{service}/descriptor")
        loaded = descriptor.load(applied["text"], applied["file"])
    else:
        loaded = _load(file)
    found = rows(loaded, environment or loaded.environments[-1].name)
    if as_json:
        print_json([row.as_json() for row in found])
        return
    print_table(["key", "value", "from", "origin"], [_cells(row) for row in found], empty="")


def _cells(row: "Row") -> list[str]:
    return [row.path, row.value, f"{row.file}:{row.line}" if row.line else "-", row.origin]


def _load(file: Path) -> "ServiceFile":
    """The descriptor in `file`; a file that cannot be read is one sentence."""
    from steerway.app import descriptor  # noqa: PLC0415 - slow to import

    try:
        return descriptor.load(file)
    except FileNotFoundError:
        message = f"There is no {file}. `steerway init` writes one."
        raise click.ClickException(message) from None
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from error


def _print_check(problems: "tuple[Problem, ...]", warnings: "tuple[Problem, ...]") -> None:
    print_json(
        {
            "valid": not problems,
            "problems": [problem.as_json() for problem in problems],
            "warnings": [warning.as_json() for warning in warnings],
        }
    )
