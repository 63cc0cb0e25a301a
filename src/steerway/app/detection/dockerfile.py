"""Dockerfile: what the last stage starts and sets."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from steerway.app.detection.finding import (
    Finding,
    command_of,
    read_text,
    sorted_variables,
    with_port,
)

_PATH = re.compile(r"https?://[^/\s\"']+(/[^\s\"']*)?")


def find(directory: Path) -> Finding | None:
    """ENTRYPOINT and CMD, EXPOSE, ENV, HEALTHCHECK and STOPSIGNAL of the last stage."""
    stage = _last_stage(read_text(directory / "Dockerfile"))
    said = dict(stage)  # the last of each instruction counts
    if not said:
        return None
    command = " ".join(
        filter(None, [_words(said.get("ENTRYPOINT", "")), _words(said.get("CMD", ""))])
    )
    port = said.get("EXPOSE", "").partition("/")[0].strip()
    variables = [
        pair for instruction, rest in stage if instruction == "ENV" for pair in _pairs(rest)
    ]
    plain, secrets, notes = sorted_variables(dict(variables))
    notes.append("The Dockerfile is not built: build.command makes what run.command starts.")
    run: dict[str, Any] = {}
    if path := health_path(said.get("HEALTHCHECK", "")):
        run["health"] = {"path": path}
    if signal := stop_signal(said.get("STOPSIGNAL", "")):
        run["stop"] = {"signal": signal}
    return Finding(
        "Dockerfile",
        command=with_port(command_of(command), port),
        run=run,
        environment=plain,
        secrets=secrets,
        notes=tuple(notes),
    )


def health_path(text: str) -> str:
    """The path of the address in a health check command; empty where there is none."""
    match = _PATH.search(text)
    return (match[1] or "/") if match else ""


def stop_signal(text: str) -> str:
    """The signal's name as we write it."""
    name = text.strip().upper().removeprefix("SIG")
    return name if name in {"TERM", "INT", "QUIT", "HUP", "USR1", "USR2"} else ""


def _last_stage(text: str) -> list[tuple[str, str]]:
    """Its instructions in order, continued lines joined."""
    stage: list[tuple[str, str]] = []
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\[ \t]*\n", " ", "\n".join(lines)).splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction.upper() == "FROM":
            stage = []
        if instruction:
            stage.append((instruction.upper(), rest.strip()))
    return stage


def _words(text: str) -> str:
    """The command of the exec form or of the shell form."""
    if not text.startswith("["):
        return text
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return " ".join(_quoted(str(word)) for word in words) if isinstance(words, list) else ""


def _quoted(word: str) -> str:
    """The word for a command in which $PORT is still replaced."""
    return word if re.fullmatch(r"[\w@%+=:,./${}-]+", word) else shlex.quote(word)


def _pairs(rest: str) -> list[tuple[str, str]]:
    """`A=b C="d e"`, and the old form `A b`."""
    try:
        words = shlex.split(rest)
    except ValueError:
        return []
    if words and "=" not in words[0]:
        return [(words[0], " ".join(words[1:]))]
    return [(name, value) for name, found, value in (w.partition("=") for w in words) if found]
