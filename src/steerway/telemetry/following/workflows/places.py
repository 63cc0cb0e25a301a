"""The file that says how far each log was read.

It is written after the store has the lines, so it may be behind but never ahead; what the store
says of itself goes before it.
"""

import contextlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from steerway.telemetry.following.rules.places import Place, place


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a log was read, and the moment of its last line."""

    place: Place
    at: datetime | None


def load(file: Path) -> dict[str, Mark]:
    """The marks by the name of the log; none when the file is missing or broken."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        found = json.loads(file.read_text())
        marks = {}
        for name, one in found.items():
            at = datetime.fromisoformat(one["at"]) if one["at"] else None
            if known := place(one["place"]):
                marks[name] = Mark(known, at)
        return marks
    return {}


def save(file: Path, marks: dict[str, Mark]) -> None:
    """Replace the file in one move."""
    draft = file.with_name(f".{file.name}.draft")
    content = {
        name: {"place": mark.place.written(), "at": mark.at.isoformat() if mark.at else ""}
        for name, mark in marks.items()
    }
    draft.write_text(json.dumps(content))
    draft.replace(file)
