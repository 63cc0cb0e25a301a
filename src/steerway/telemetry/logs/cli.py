"""Lines in the terminal."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import click

from steerway.platform.client import Client, Problem
from steerway.platform.terminal import connect, json_option, print_json, query

COLOURS: Final = ("cyan", "magenta", "yellow", "blue", "green")
LEVELS: Final = {"warn": "yellow", "error": "red", "fatal": "red"}
UNAVAILABLE: Final = 503
FOLLOW_SECONDS: Final = 0.5
FILE_BYTES: Final = 100  # of a file for each line that is asked for, about
FILTERS: Final = ("version", "instance", "severity", "text", "since", "until", "trace_id")


@click.command()
@click.argument("service")
@click.option("--env", "environment", default="", help="Only this environment.")
@click.option("--follow", "-f", is_flag=True, help="Go on until interrupted.")
@click.option("--text", default="", help='Words and "phrases" that a line has; -WORD it has not.')
@click.option("--severity", default="", help="At least so serious: info, warn, error.")
@click.option("--version", default="", help="Only of this version.")
@click.option("--instance", default="", help="Only of this replica.")
@click.option("--attribute", "-a", multiple=True, help="Only with this NAME=VALUE.")
@click.option("--trace", "trace_id", default="", help="Only of this trace.")
@click.option("--since", default="", help="From then on: 15m, 2h, or an ISO moment.  [default: 1h]")
@click.option("--until", default="", help="Up to then.")
@click.option("--rows", default=100, type=click.IntRange(1, 1000), show_default=True,
              help="How many lines, the newest.")  # fmt: skip
@json_option
def logs(
    service: str, follow: bool, rows: int, as_json: bool, attribute: tuple[str, ...], **asked: str
) -> None:
    """Show what SERVICE prints and logs.

    When telemetry does not answer, or has nothing yet, the files of the replicas are read.
    """
    client = connect()
    is_filtered = bool(attribute) or any(asked[name] for name in FILTERS)
    path = query("/api/logs", service=service, rows=rows, **asked)
    path += "".join(f"&attribute={quote(one)}" for one in attribute)
    try:
        if follow:
            is_known = is_filtered or client.get(path)["lines"]
            found = _followed(client, path.replace("/api/logs", "/api/logs/stream", 1))
        else:
            found = iter(is_known := list(reversed(client.get(path)["lines"])))
    except Problem as error:
        # Without telemetry nothing can be searched; what is printed now can still be shown.
        if error.status != UNAVAILABLE or is_filtered:
            raise
        is_known = []
    if not is_known and not is_filtered:
        found = _printed(client, service, asked["environment"], rows=rows, follow=follow)
    _show(found, as_json=as_json, follow=follow)


def _followed(client: Client, path: str) -> Iterator[dict[str, Any]]:
    """Lines as they come."""
    kind = ""
    for text in client.lines(path):
        name, _, value = text.partition(": ")
        if name == "event":
            kind = value
        elif name == "data" and kind == "line":
            yield json.loads(value)
        elif name == "data" and kind == "skipped":
            before = json.loads(value)["before"]
            click.echo(f"Lines before {before} were left out: too many came at once.", err=True)
        elif name == "data":
            click.echo(json.loads(value)["detail"], err=True)


def _printed(
    client: Client, service: str, environment: str, *, rows: int, follow: bool
) -> Iterator[dict[str, Any]]:
    """The same from the files that replicas print to."""
    base = query(f"/api/services/{quote(service)}/logs", environment=environment)
    base += "&" if "?" in base else "?"
    found = client.get(f"{base}size_bytes={rows * FILE_BYTES}")
    yield from _lines(found, service)
    while follow:
        time.sleep(FOLLOW_SECONDS)
        after = [quote(f"{one['program']}:{one['position']}") for one in found["replicas"]]
        path = f"{base}size_bytes=1000000" + "".join(f"&after={one}" for one in after)
        found = client.get(path)
        yield from _lines(found, service)


def _lines(found: dict[str, Any], service: str) -> Iterator[dict[str, Any]]:
    for one in found["replicas"]:
        known = {"service": service, "environment": one["environment"], "at": "", "level": ""}
        for line in one["lines"]:
            yield {**known, "instance": one["program"], "text": line}


def _show(found: Iterator[dict[str, Any]], *, as_json: bool, follow: bool) -> None:
    if as_json and not follow:
        print_json({"lines": list(found)})
        return
    colours: dict[str, str] = {}
    for line in found:
        if as_json:
            click.echo(json.dumps(line, ensure_ascii=False))
            continue
        name = line["instance"]
        colour = colours.setdefault(name, COLOURS[len(colours) % len(COLOURS)])
        text = click.style(line["text"], fg=LEVELS.get(line["level"]))
        click.echo(f"{_clock(line['at'])}{click.style(name, fg=colour)}  {text}")


def _clock(at: str) -> str:
    if not at:
        return ""
    local = datetime.fromisoformat(at).astimezone()
    return click.style(f"{local:%m-%d %H:%M:%S}  ", dim=True)
