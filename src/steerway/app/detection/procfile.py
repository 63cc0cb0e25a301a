"""Procfile: one program a line."""

import re
from pathlib import Path

from steerway.app.detection.finding import Finding, command_of, read_text

_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(.+)")


def find(directory: Path) -> Finding | None:
    """The `web` program, else the first one; the others are told about."""
    lines = (
        _LINE.fullmatch(line.strip()) for line in read_text(directory / "Procfile").splitlines()
    )
    programs = {match[1]: match[2] for match in lines if match}
    release = programs.pop("release", "")
    if not programs:
        return None
    chosen = "web" if "web" in programs else next(iter(programs))
    finding = Finding("Procfile", command=command_of(programs.pop(chosen)), worker=chosen != "web")
    notes = [
        f"Procfile's {name} is a program of its own and needs a descriptor of its own: {line}"
        for name, line in programs.items()
    ]
    if release:
        notes.append(f"Procfile's release step is not run: {release}")
    return finding.noting(*notes)
