"""The page of the reference about commands, from the commands themselves."""

import inspect
from collections.abc import Iterator
from typing import Final

import click

from steerway.app.cli import COMMANDS, EXIT_CODES
from steerway.app.cli import steerway as root
from steerway.app.reference_tables import code, one_line, page, table
from steerway.platform.settings import PREFIX, TERMINAL

INTRO: Final = """\
`steerway COMMAND --help` says the same in the terminal. A command that reads takes `--json` and
then prints what the API answers. What goes wrong is one sentence on standard error, and one of
these exit codes:"""
VARIABLES: Final = """\
Commands speak to the server of this machine over a socket in its home directory, which only the
user who runs the server can open. These variables lead them to a server elsewhere:"""


def text() -> str:
    """The page."""
    exits = table(("exit code", "means"), [(str(n), what) for n, what in EXIT_CODES.items()])
    variables = table(
        ("variable", "what it is"),
        [(code(PREFIX + name.upper()), what) for name, what in TERMINAL.items()],
    )
    parts = [part for path, command in commands() for part in _parts(path, command)]
    return page("Commands", INTRO, exits, VARIABLES, variables, *parts)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it, groups before what is in them."""
    context = click.Context(root, info_name="steerway")
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None
        yield f"steerway {name}", command
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                yield f"steerway {name} {inner}", command.commands[inner]


def _parts(path: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    yield f"{'#' * path.count(' ')}# {path}"
    help_text = inspect.cleandoc(command.help or "")
    if isinstance(command, click.Group):
        yield help_text
        return
    yield code(one_line(command.get_usage(context).removeprefix("Usage: ")))
    yield help_text
    records = [p.get_help_record(context) for p in command.params if isinstance(p, click.Option)]
    rows = [(code(option), what) for option, what in filter(None, records)]
    if rows:
        yield table(("option", "what it does"), rows)
