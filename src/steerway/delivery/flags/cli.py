"""Flags in the terminal."""

import json
from pathlib import Path
from typing import Any, Final

import click

from steerway.platform.terminal import ago, connect, json_option, print_json, print_table, query

ROWS: Final = 200

env_option = click.option("--env", "environment", default="", help="Else the last environment.")
why_option = click.option("--why", default="", help="Why; it is kept with the change.")
emergency_option = click.option(
    "--emergency", is_flag=True, help="Pass holds and freezes; needs --why."
)


@click.group()
def flags() -> None:
    """Flags: what users see of a service, without a deployment."""


@flags.command("list")
@click.argument("service", default="")
@json_option
def list_flags(service: str, as_json: bool) -> None:
    """List the flags of SERVICE, or of all services."""
    found = connect().get(query("/api/flags", service=service, rows=ROWS))
    if as_json:
        print_json(found)
        return
    print_table(
        ["flag", "service", "in force", "owner", "expires", "defined in", "evaluated"],
        [
            [f["key"], f["service"], ", ".join(map(_share, f["places"])), f["owner"], f["expires"],
             f["origin"], _evaluated(f)]
            for f in found
        ],
        empty="No flags yet. Name a flag file in steerway.yaml (flags.file) and apply it.",
    )  # fmt: skip


@flags.command()
@click.argument("service")
@click.argument("flag")
@json_option
def show(service: str, flag: str, as_json: bool) -> None:
    """Show FLAG of SERVICE: its definition, and who has what where."""
    found = connect().get(f"/api/flags/{service}/{flag}")
    if as_json:
        print_json(found)
        return
    click.secho(f"{found['key']}  {found['description']}", bold=True)
    for label in ("service", "origin", "owner", "expires"):
        click.echo(f"  {label:<14}{found[label]}")
    for place in found["places"]:
        off = f": {place['off_reason']}" if place["off_at"] else ""
        click.echo(f"  {place['environment']:<14}{_share(place, named=False)}{off}")
    for one in found["judged"]:
        near = f" Evidence: {one['nearness']:.0%} of the way to being turned off."
        click.echo(
            f"  {one['environment']:<14}{one['words']}{near if one['state'] == 'judging' else ''}"
        )
    click.echo(json.dumps(found["definition"], indent=2, ensure_ascii=False))


@flags.command()
@click.argument("service")
@click.argument("flag")
@click.argument("percent", type=click.FloatRange(0, 100))
@env_option
@click.option("--to", "variant", default="", help="The variant; else the first that is not off.")
@why_option
@emergency_option
def expose(
    service: str,
    flag: str,
    percent: float,
    environment: str,
    variant: str,
    why: str,
    emergency: bool,
) -> None:
    """Give a variant of FLAG to PERCENT of the users no rule decides about, from now on."""
    path = _path(service, flag, environment)
    body = {"percent": percent, "variant": variant, "why": why, "emergency": emergency}
    place = connect().put(f"{path}/exposure", body)
    click.echo(f"{flag} in {place['environment']}: {_share(place, named=False)}.")


@flags.command()
@click.argument("service")
@click.argument("flag")
@env_option
@click.option("--reason", required=True, help="Why; it is shown wherever the flag is shown.")
def off(service: str, flag: str, environment: str, reason: str) -> None:
    """Turn FLAG off for everybody, at once, whatever is held or frozen."""
    place = connect().put(f"{_path(service, flag, environment)}/off", {"reason": reason})
    click.echo(
        f"{flag} is off in {place['environment']}. `steerway flags on {service} {flag}` ends it."
    )


@flags.command()
@click.argument("service")
@click.argument("flag")
@env_option
def on(service: str, flag: str, environment: str) -> None:
    """Let FLAG, which was turned off, follow its rules again."""
    place = connect().delete(f"{_path(service, flag, environment)}/off")
    click.echo(f"{flag} in {place['environment']}: {_share(place, named=False)}.")


@flags.command()
@click.argument("service")
@click.argument("flag")
@env_option
def restore(service: str, flag: str, environment: str) -> None:
    """Let the definition of FLAG hold again, instead of what was decided over it."""
    place = connect().delete(f"{_path(service, flag, environment)}/exposure")
    click.echo(f"{flag} in {place['environment']}: {_share(place, named=False)}.")


@flags.command()
@click.argument("service")
@click.argument("flag")
@click.argument("steps")
@env_option
@click.option("--to", "variant", default="", help="The variant; else the first that is not off.")
@click.option("--at", "begins_at", default=None, help="When to begin, such as 2026-03-02T09:00Z.")
@why_option
@emergency_option
def rollout(
    service: str,
    flag: str,
    steps: str,
    environment: str,
    variant: str,
    begins_at: str | None,
    why: str,
    emergency: bool,
) -> None:
    """Give a variant of FLAG to more users step by step: STEPS such as 10%,50%@1h,100%@1d."""
    body = {
        "steps": steps,
        "variant": variant,
        "begins_at": begins_at,
        "why": why,
        "emergency": emergency,
    }
    begun = connect().post(f"{_path(service, flag, environment)}/rollout", body)
    click.echo(
        f"{flag} in {begun['environment']} is rolled out: {', '.join(begun['steps'])} "
        f"({begun['change']}). `steerway flags stop {service} {flag}` stops it."
    )


@flags.command()
@click.argument("service")
@click.argument("flag")
@env_option
def stop(service: str, flag: str, environment: str) -> None:
    """Have the rollout of FLAG take no more steps; users keep what they have."""
    connect().delete(f"{_path(service, flag, environment)}/rollout")
    click.echo(f"The rollout of {flag} is stopped.")


@flags.command()
@click.argument("service")
@click.argument("flag")
@click.option(
    "--file", "-f", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The flag's definition in JSON, as it would stand in a flag file.",
)  # fmt: skip
@why_option
def make(service: str, flag: str, file: Path, why: str) -> None:
    """Make FLAG in Steerway, for a service without a flag file or beside it."""
    try:
        definition = json.loads(file.read_text())
    except ValueError as error:
        raise click.BadParameter(f"{file} is not JSON: {error}") from error
    body = {"definition": definition, "why": why}
    found = connect().put(f"/api/flags/{service}/{flag}", body)
    click.echo(f"{flag} is there: {', '.join(map(_share, found['places']))}.")


@flags.command()
@click.argument("service")
@click.argument("flag")
def retire(service: str, flag: str) -> None:
    """Remove FLAG, which was made in Steerway."""
    connect().delete(f"/api/flags/{service}/{flag}")
    click.echo(f"{flag} is retired. Code that asks for it gets its own default.")


@flags.command()
@click.argument("service", default="")
@json_option
def debt(service: str, as_json: bool) -> None:
    """List flags that should leave the code, and why."""
    found = connect().get(query("/api/flags/debt", service=service))
    if as_json:
        print_json(found)
        return
    print_table(
        ["flag", "service", "owner", "expires", "why"],
        [
            [f["key"], f["service"], f["owner"], f["expires"],
             "; ".join(f"{name}: {', '.join(said)}" for name, said in f["reasons"].items())]
            for f in found
        ],
        empty="No flag is in debt.",
    )  # fmt: skip


@flags.command()
@click.argument("service")
@click.option("--env", "environment", required=True, help="The environment.")
def export(service: str, environment: str) -> None:
    """Print the flags of SERVICE in force as a flagd file."""
    print_json(connect().get(f"/api/flags/{service}/documents/{environment}"))


def _path(service: str, flag: str, environment: str) -> str:
    """The address of a flag in an environment: the last one where none is named."""
    base = f"/api/flags/{service}/{flag}"
    if environment:
        return f"{base}/{environment}"
    places: list[dict[str, Any]] = connect().get(base)["places"]
    return f"{base}/{places[-1]['environment']}"


def _share(place: dict[str, Any], *, named: bool = True) -> str:
    """`production 10 % on`, or how it was turned off."""
    share = "?" if place["share"] is None else f"{place['share']:g}"
    said = "off" if place["off_at"] else f"{share} % {place['variant']}"
    return f"{place['environment']} {said}" if named else said


def _evaluated(flag: dict[str, Any]) -> str:
    moments = [place["evaluated_at"] for place in flag["places"] if place["evaluated_at"]]
    return ago(max(moments)) if moments else "never"
