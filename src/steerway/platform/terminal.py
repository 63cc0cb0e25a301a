"""What commands share: the way to the server, and how answers look in a terminal.

`rich` is loaded only where it draws; a pipe gets plain text.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

import click

from steerway.platform import clock, settings
from steerway.platform.client import Client

Command = TypeVar("Command", bound=Callable[..., Any])

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400
COLOURS: Final = {
    "good": "green", "running": "cyan", "succeeded": "green", "unchanged": "green",
    "implemented": "green", "healthy": "green", "open": "cyan", "serving": "green",
    "failed": "red", "rolled-back": "red", "backoff": "red", "fatal": "red", "down": "red",
    "crash-looping": "red",
    "cancelled": "yellow", "paused": "yellow", "held": "yellow", "starting": "yellow",
    "waiting": "yellow",
}  # fmt: skip

TONES: Final = {
    "good": "green", "info": "cyan", "warn": "yellow", "bad": "red", "idle": "bright_black",
    "unknown": "bright_black",
}  # fmt: skip


def connect() -> Client:
    """The server of this machine, or the one that STEERWAY_SERVER names."""
    server = os.environ.get("STEERWAY_SERVER", "")  # noqa: TID251 -- the command line is an edge
    if server:
        return Client(server, _token(server))
    return Client(str(settings.load().socket))


def tokens_file() -> Path:
    """Where sign-ins to servers elsewhere are kept, readable by their owner alone."""
    root = os.environ.get("XDG_CONFIG_HOME") or "~/.config"  # noqa: TID251 -- the same
    return Path(root).expanduser() / "steerway" / "tokens.json"


def _token(server: str) -> str:
    """The token given for this run, as pipelines do, or the one that `login` kept."""
    given = os.environ.get("STEERWAY_TOKEN", "")  # noqa: TID251 -- the same
    if given:
        return given
    file = tokens_file()
    if not file.exists():
        return ""
    return str(json.loads(file.read_text()).get(server.rstrip("/"), ""))


def json_option(command: Command) -> Command:
    """`--json`: print the answer as the API gives it."""
    option: Callable[[Command], Command] = click.option(
        "--json", "as_json", is_flag=True, help="Print JSON."
    )
    return option(command)


def print_json(answer: object) -> None:
    """Print an answer as indented JSON."""
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Print aligned columns; states in colour when somebody looks. `empty` says what to do next."""
    if not rows:
        click.echo(empty)
        return
    cells = [[" ".join(str(cell).split("\n")) for cell in row] for row in rows]
    widths = [
        max(len(heading), *(len(row[column]) for row in cells))
        for column, heading in enumerate(headings)
    ]
    click.secho(_line([h.upper() for h in headings], widths, plain=True), dim=True)
    for row in cells:
        click.echo(_line(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int], *, plain: bool = False) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    if not plain:
        padded = [_coloured(cell) for cell in padded]
    return "  ".join(padded).rstrip()


def _coloured(cell: str) -> str:
    colour = COLOURS.get(cell.strip())
    return click.style(cell, fg=colour) if colour else cell


def painted(parts: Iterable[tuple[str, str]]) -> str:
    """Pieces of a line, each in the colour of its tone; an empty tone has none."""
    return "".join(
        click.style(text, fg=TONES[tone]) if tone else text for text, tone in parts
    ).rstrip()


def ago(text: str | None) -> str:
    """How long ago an ISO moment was: `12 s`, `5 min`, `3 h`, `2 d`; `-` when there is none."""
    if not text:
        return "-"
    return span(clock.now() - datetime.fromisoformat(text)) + " ago"


def span(length: timedelta) -> str:
    """A length of time in its largest unit."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < DAY:
        return f"{seconds // HOUR} h"
    return f"{seconds // DAY} d"


def query(path: str, **parameters: object) -> str:
    """A path with those parameters that are set."""
    pairs = [
        f"{key}={quote(str(value))}" for key, value in parameters.items() if value not in ("", None)
    ]
    return f"{path}?{'&'.join(pairs)}" if pairs else path


def is_interactive() -> bool:
    """Whether somebody looks at the output."""
    return sys.stdout.isatty()
