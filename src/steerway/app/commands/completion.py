"""Completion of commands in the shell."""

from typing import Final

import click

LINES: Final = {
    "bash": 'eval "$(_STEERWAY_COMPLETE=bash_source steerway)"',
    "zsh": 'eval "$(_STEERWAY_COMPLETE=zsh_source steerway)"',
    "fish": "_STEERWAY_COMPLETE=fish_source steerway | source",
}
FILES: Final = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/config.fish"}


@click.command()
@click.argument("shell", type=click.Choice(list(LINES)), default="bash")
def completion(shell: str) -> None:
    """Print the line that completes commands in SHELL; add it to the shell's start file."""
    click.echo(f"# add to {FILES[shell]}\n{LINES[shell]}")
