"""What replicas print, in the terminal."""

import time
from typing import Any, Final
from urllib.parse import quote

import click

from steerway.platform.client import Client
from steerway.platform.terminal import connect, json_option, print_json, query

FOLLOW_SECONDS: Final = 0.5
COLOURS: Final = ("cyan", "magenta", "yellow", "blue", "green")


@click.command()
@click.argument("service")
@click.option("--env", "environment", default="", help="Only this environment.")
@click.option("--follow", "-f", is_flag=True, help="Go on until interrupted.")
@click.option(
    "--size", default=8000, type=click.IntRange(1, 1_000_000), show_default=True,
    help="How many bytes of each replica to begin with.",
)  # fmt: skip
@json_option
def logs(service: str, environment: str, follow: bool, size: int, as_json: bool) -> None:
    """Show what the replicas of SERVICE print."""
    client = connect()
    found = _ask(client, service, environment, size=size, after=[])
    if as_json:
        print_json(found)
        return
    _print(found)
    while follow:
        time.sleep(FOLLOW_SECONDS)
        after = [f"{one['program']}:{one['position']}" for one in found["replicas"]]
        found = _ask(client, service, environment, size=1_000_000, after=after)
        _print(found)


def _ask(
    client: Client, service: str, environment: str, *, size: int, after: list[str]
) -> dict[str, Any]:
    path = query(f"/api/services/{quote(service)}/logs", environment=environment, size_bytes=size)
    answer: dict[str, Any] = client.get(path + "".join(f"&after={quote(one)}" for one in after))
    return answer


def _print(found: dict[str, Any]) -> None:
    for number, one in enumerate(found["replicas"]):
        name = click.style(one["program"], fg=COLOURS[number % len(COLOURS)])
        for line in one["lines"]:
            click.echo(f"{name}  {line}")
