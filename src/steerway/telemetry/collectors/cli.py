"""Collectors in the terminal."""

from typing import Any
from urllib.parse import quote

import click

from steerway.platform.terminal import ago, connect, json_option, print_json, print_table


@click.group()
def telemetry() -> None:
    """What is collected: list, pause, resume."""


@telemetry.command(name="list")
@json_option
def all(as_json: bool) -> None:
    """List the collectors and what they saw the last time."""
    found = connect().get("/api/collectors")
    if as_json:
        print_json(found)
        return
    print_table(
        ["collector", "state", "targets", "failing", "last look", "first failure"],
        [_row(one) for one in found],
        empty="There are none.",
    )


@telemetry.command()
@click.argument("collector")
@click.option("--reason", default="", help="Why.")
def pause(collector: str, reason: str) -> None:
    """Let COLLECTOR not look; what it looks at turns stale."""
    connect().put(f"/api/collectors/{quote(collector)}/pause", {"reason": reason})
    click.echo(f"{collector} is paused. `steerway telemetry resume {collector}` ends it.")


@telemetry.command()
@click.argument("collector")
def resume(collector: str) -> None:
    """Let COLLECTOR look again."""
    connect().delete(f"/api/collectors/{quote(collector)}/pause")
    click.echo(f"{collector} looks again.")


def _row(one: dict[str, Any]) -> list[str]:
    looks = one["looks"]
    failing = [look for look in looks if look["error"]]
    state = f"paused by {one['paused_by']}" if one["paused_at"] else "looks"
    last = max((look["at"] for look in looks), default=None)
    return [
        one["name"],
        state,
        str(len(looks)),
        str(len(failing)),
        ago(last),
        failing[0]["error"] if failing else "",
    ]
