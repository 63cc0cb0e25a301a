"""The log in the terminal."""

from typing import Any

import click

from steerway.platform.terminal import connect, json_option, print_json, query

ROWS = 50


@click.group()
def log() -> None:
    """Show, check and export the event log."""


@log.command()
@click.option("--service", default="", help="Only this service.")
@click.option("--subject", default="", help="Only this record, such as DEP-7.")
@click.option("--type", "kind", default="", help="Only this type, such as deployment.succeeded.")
@click.option("--actor", default="", help="Only what this person or token did.")
@click.option("--since", default="", help="A moment or an age, such as 24h.")
@click.option("--rows", default=ROWS, type=click.IntRange(1, 500), help="At most so many.")
@json_option
def show(
    service: str, subject: str, kind: str, actor: str, since: str, rows: int, as_json: bool
) -> None:
    """Show the newest entries, oldest of them first."""
    path = query(
        "/api/log", service=service, subject=subject, type=kind, actor=actor, since=since, rows=rows
    )
    _print(connect().get(path), as_json=as_json)


@log.command()
@json_option
def verify(as_json: bool) -> int:
    """Check the chain of hashes; exit 1 at the first bad entry."""
    verdict = connect().get("/api/log/verification")
    if as_json:
        print_json(verdict)
    elif verdict["bad"] is None:
        click.secho(f"{verdict['entries']} entries verify; head {verdict['head'][:16]}", fg="green")
    else:
        click.secho(f"Entry {verdict['bad']} is bad: {verdict['reason']}.", fg="red", err=True)
    return 0 if verdict["bad"] is None else 1


@log.command()
@click.option("--service", default="", help="Only this service.")
@click.option("--since", default="", help="A moment or an age, such as 24h.")
def export(service: str, since: str) -> None:
    """Print every entry as a CloudEvent, one JSON object a line."""
    for line in connect().lines(query("/api/log/export", service=service, since=since)):
        click.echo(line)


@click.command()
@click.argument("service")
@click.option("--rows", default=ROWS, type=click.IntRange(1, 500), help="At most so many.")
@json_option
def timeline(service: str, rows: int, as_json: bool) -> None:
    """Show what happened to SERVICE, oldest first."""
    _print(connect().get(query("/api/log", service=service, rows=rows)), as_json=as_json)


def _print(events: list[dict[str, Any]], *, as_json: bool) -> None:
    events = events[::-1]
    if as_json:
        print_json(events)
        return
    if not events:
        click.echo("No entry matches.")
    for event in events:
        moment = event["at"][:19].replace("T", " ")
        facts = " ".join(
            f"{k}={_short(v)}" for k, v in event["data"].items() if v not in ("", None, [])
        )
        click.echo(
            f"{click.style(moment, dim=True)}  {click.style(event['type'].ljust(24), fg='cyan')} "
            f"{event['subject']}  {click.style('by ' + event['actor'], dim=True)}  {facts}"
        )


def _short(value: object, limit: int = 60) -> str:
    text = str(value).replace("\n", " ")
    return text if len(text) <= limit else text[: limit - 1] + "…"
