"""Canaries in the terminal: looked at, and steered."""

from pathlib import Path
from typing import Any

import click

from steerway.delivery.analyses.rules import lines
from steerway.delivery.analyses.rules import picture as pictures
from steerway.platform.terminal import connect, json_option, painted, print_json


@click.group()
def canary() -> None:
    """Look at and steer a version that earns its traffic."""


@canary.command()
@click.argument("ref")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw its evidence into this file, as SVG.",
)
@json_option
def show(ref: str, picture: Path | None, as_json: bool) -> None:
    """Show how the canary of the deployment REF compares."""
    found = connect().get(f"/api/deployments/{ref}/analysis")
    if picture is not None:
        picture.write_text(pictures.svg(found), encoding="utf-8")
    print_json(found) if as_json else _print(found)


@canary.command()
@click.argument("ref")
def pause(ref: str) -> None:
    """Keep the canary of REF at its share; evidence of harm still takes it back."""
    found = connect().post(f"/api/deployments/{ref}/analysis/pause")
    click.echo(f"{ref} stays at {found['percent']:g} %. `steerway canary resume {ref}` goes on.")


@canary.command()
@click.argument("ref")
def resume(ref: str) -> None:
    """Let the canary of REF go on."""
    found = connect().post(f"/api/deployments/{ref}/analysis/resumption")
    click.echo(f"{ref} goes on from {found['percent']:g} %.")


@canary.command()
@click.argument("ref")
@click.option("--step", type=float, help="Which step, in percent; the one it waits for.")
def approve(ref: str, step: float | None) -> None:
    """Let the canary of REF take a step that a person must approve."""
    client = connect()
    wanted = step or client.get(f"/api/deployments/{ref}/analysis")["waits_for"]
    if wanted is None:
        raise click.UsageError(f"{ref} waits for nobody; name the step with --step.")
    client.post(f"/api/deployments/{ref}/analysis/approval", {"percent": wanted})
    click.echo(f"{ref} may take its step to {wanted:g} %.")


@canary.command()
@click.argument("ref")
def promote(ref: str) -> None:
    """Give the canary of REF all of the traffic now, whatever is known of it."""
    connect().post(f"/api/deployments/{ref}/analysis/promotion")
    click.echo(f"{ref} gets everything. `steerway watch {ref}` follows it.")


def _print(found: dict[str, Any]) -> None:
    head = click.style(found["ref"], bold=True)
    click.echo(
        f"{head}  {found['version']} beside {found['stable_version']} · {found['service']} in "
        f"{found['environment']} · {found['state']} at {found['percent']:g} %"
    )
    for line in lines.standing(found):
        click.echo(f"  {painted(line)}")
    for reason in found["reasons"][1:]:
        click.echo(f"  {reason}")
