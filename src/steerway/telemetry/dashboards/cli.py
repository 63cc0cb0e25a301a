"""Dashboards in the terminal: bring one from Grafana."""

import sys
from pathlib import Path

import click


@click.group()
def dashboard() -> None:
    """Dashboards of services."""


@dashboard.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def import_(file: str) -> None:
    """Print FILE, a dashboard of Grafana as JSON, as the `dashboard` section of a descriptor.

    What could not be translated is said on standard error.
    """
    from steerway.telemetry.dashboards import queries  # noqa: PLC0415 - slow to import

    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    found = queries.read(text, file=file)
    click.echo(queries.text_of(found.section), nl=False)
    for sentence in found.left_out:
        click.secho(f"left out: {sentence}", fg="yellow", err=True)
