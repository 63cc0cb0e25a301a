"""A Node project: package.json."""

import json
import re
from pathlib import Path
from typing import Any

from steerway.app.detection.finding import Finding, command_of, read_text, slug


def find(directory: Path) -> Finding | None:
    """The script `start`, else the main file."""
    package = _json(directory / "package.json")
    if not package:
        return None
    scripts = package.get("scripts")
    start = scripts.get("start") if isinstance(scripts, dict) else None
    notes = [] if (directory / "package-lock.json").is_file() else [_NO_LOCK]
    return Finding(
        "package.json",
        name=slug(str(package.get("name", "")).rpartition("/")[2]),
        description=str(package.get("description", "")),
        command=_command(directory, package, start),
        kind="node",
        notes=tuple(notes),
    )


_NO_LOCK = "There is no package-lock.json: `npm install` writes one, and builds need it."


def _command(directory: Path, package: dict[str, Any], start: object) -> str:
    """Node itself where that is all npm would start: it gets the signals then."""
    if isinstance(start, str):
        return command_of(start) if re.fullmatch(r"node [\w./ -]+", start) else "npm run start"
    main = package.get("main")
    for name in (main, "server.js", "index.js"):
        if isinstance(name, str) and (directory / name).is_file():
            return command_of(f"node {name}")
    return ""


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_text(file) or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
