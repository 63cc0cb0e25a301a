"""Coverage in the terminal."""

from typing import Any, Final
from urllib.parse import quote

import click

from steerway.platform.terminal import ago, connect, json_option, print_json, print_table

SIGNALS: Final = ("metrics", "logs", "traces")
MARKS: Final = {
    "fresh": ("●", "green"),
    "quiet": ("○", "cyan"),
    "stale": ("✗", "red"),
    "never seen": ("?", "yellow"),
    "not expected": ("", "white"),
}


@click.command()
@click.argument("service", default="")
@json_option
def coverage(service: str, as_json: bool) -> None:
    """Show which layers of SERVICE are seen, by which signals; of every service without a name."""
    found = connect().get(f"/api/coverage/{quote(service)}" if service else "/api/coverage")
    if as_json:
        print_json(found)
        return
    running = [one for one in found if any(c["state"] != "not expected" for c in one["cells"])]
    found = running or found  # where nothing runs, nothing is to be seen
    if not found:
        click.echo("No services. `steerway apply` declares one.")
    for number, grid in enumerate(found):
        click.echo(("\n" if number else "") + f"{grid['service']} in {grid['environment']}")
        print_table(["layer", *SIGNALS], _rows(grid), empty="")
    if found:
        shown = [f"{mark} {state}" for state, (mark, _) in MARKS.items() if mark]
        click.echo("\n" + "   ".join(shown))


def _rows(grid: dict[str, Any]) -> list[list[str]]:
    by_layer: dict[str, dict[str, str]] = {}
    for cell in grid["cells"]:
        by_layer.setdefault(cell["layer"], {})[cell["signal"]] = _cell(cell)
    return [[layer, *(cells[signal] for signal in SIGNALS)] for layer, cells in by_layer.items()]


def _cell(cell: dict[str, Any]) -> str:
    mark, _ = MARKS[cell["state"]]
    if cell["state"] == "not expected":
        return ""
    if cell["seen_at"] is None:
        return f"{mark} {cell['state']}"
    return f"{mark} {cell['state']}, {ago(cell['seen_at'])}"
