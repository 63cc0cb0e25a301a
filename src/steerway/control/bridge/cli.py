"""What runs now, in the terminal."""

from collections.abc import Iterator
from typing import Any, Final

import click

from steerway.platform.terminal import ago, connect, json_option, print_json, print_table, query

ROWS: Final = 100
TONES = {"bad": "red", "warn": "yellow", "info": "cyan", "good": "green"}


@click.command()
@click.argument("service", default="")
@json_option
def status(service: str, as_json: bool) -> None:
    """Show what runs, and what needs you. SERVICE: its replicas as well."""
    found = _status(service)
    if as_json:
        print_json(found)
        return
    for line in _needs(found):
        click.echo(line)
    rows = [row for one in found["services"] for row in _rows(one)]
    print_table(
        [
            "service",
            "environment",
            "state",
            "version",
            "replicas",
            "deployment",
            "since",
            "address",
        ],
        rows,
        empty="No services. `steerway init` writes a descriptor, `steerway apply` declares it.",
    )
    if service:
        _print_replicas(found["services"])


def _status(service: str) -> dict[str, Any]:
    """One service, or all of them page by page; what needs somebody comes with the first."""
    client = connect()
    found: dict[str, Any] = client.get(query("/api/status", service=service, rows=ROWS))
    page = found["services"]
    while len(page) == ROWS:
        page = client.get(query("/api/status", after=page[-1]["name"], rows=ROWS))["services"]
        found["services"] = found["services"] + page
    return found


def _needs(found: dict[str, Any]) -> Iterator[str]:
    if found["frozen"]:
        yield click.style(f"All changes are frozen: {found['frozen']}", fg="yellow")
    for need in found["needs"]:
        mark = click.style("●", fg=TONES.get(need["tone"], "white"))
        yield f"{mark} {need['title']}" + (f": {need['detail']}" if need["detail"] else "")
    if found["needs"]:
        yield ""


def _rows(one: dict[str, Any]) -> Iterator[list[str]]:
    for lane in one["environments"]:
        state = "paused" if one["paused_by"] else lane["state"]
        yield [
            one["name"],
            lane["name"],
            state,
            lane["version"] or "-",
            f"{lane['up']}/{lane['wanted']}" if lane["version"] else "-",
            lane["deploying"] or lane["deployment"] or "-",
            ago(lane["since"]),
            lane["url"] if lane["version"] else "-",
        ]


def _print_replicas(services: list[dict[str, Any]]) -> None:
    rows = [
        [r["name"], r["state"], str(r["port"] or "-"), str(r["restarts"] or 0),
         ago(r["started_at"]), r["problem"]]
        for one in services
        for lane in one["environments"]
        for r in lane["replicas"]
    ]  # fmt: skip
    click.echo("")
    print_table(
        ["replica", "state", "port", "restarts", "started", "last end"], rows, empty="No replicas."
    )
