"""What was found out about a service, from one file or several together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from steerway.platform.descriptor.sensitive import holds_password, is_sensitive

FILE_BYTES_MAX: Final = 256 * 1024  # a larger file of these kinds was not written by people
_SHELL = re.compile(r"[;&|<>`*?~]|\$\(|^\s*[A-Za-z_][A-Za-z0-9_]*=")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)(?::?([-?+])([^}]*))?\}|\$([A-Za-z_]\w*)")
_COMMAND_MAX: Final = 4000


@dataclass(frozen=True, slots=True)
class Finding:
    """What one file says; empty where it says nothing."""

    source: str
    name: str = ""
    description: str = ""
    command: str = ""
    kind: str = ""
    build: str = ""
    worker: bool = False  # it serves nothing
    run: Mapping[str, Any] = field(default_factory=dict)  # replicas, health, limits, stop, …
    environment: Mapping[str, str | None] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def noting(self, *notes: str) -> "Finding":
        """The same, with more to tell the reader."""
        return replace(self, notes=(*self.notes, *notes))


def read_text(file: Path) -> str:
    """The file's text; empty where there is none that a person wrote."""
    if not file.is_file() or file.stat().st_size > FILE_BYTES_MAX:
        return ""
    return file.read_text(encoding="utf-8", errors="replace")


def slug(text: str) -> str:
    """`text` as the name of a service, an environment or a secret; empty where nothing is left."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-").lstrip("0123456789-")
    return name[:40].rstrip("-")


def command_of(line: str) -> str:
    """A line for a shell as a `run.command`, which is none."""
    line = " ".join(line.split())
    if not line or len(line) > _COMMAND_MAX:
        return ""
    if _SHELL.search(line):
        return "sh -c '" + line.replace("'", "'\\''") + "'"
    return line


def with_port(command: str, port: str) -> str:
    """The command with the port number it is started with replaced by $PORT."""
    if not port or "$PORT" in command or "${PORT}" in command:
        return command
    return re.sub(rf"(?<![\w.]){re.escape(port)}(?![\w.])", "$PORT", command)


def sorted_variables(
    variables: Mapping[str, object],
) -> tuple[dict[str, str | None], dict[str, str], list[str]]:
    """Variables as plain values, as names of secrets, and what could not be taken over.

    A value that looks secret is not copied: only the name of a secret to set takes its place.
    """
    plain: dict[str, str | None] = {}
    secrets: dict[str, str] = {}
    notes: list[str] = []
    for name, raw in variables.items():
        value = None if raw is None else _text(raw)
        if name == "PORT":
            continue  # each replica gets its own
        if not _VARIABLE.fullmatch(name) or name.startswith(("STEERWAY_", "_STEERWAY_")):
            notes.append(f"The variable {name} is not taken over: the name cannot be used here.")
        elif is_sensitive(name) or holds_password(value):
            secrets[name] = slug(name) or "secret"
        else:
            plain[name] = None if value is None else _interpolated(value)
    return plain, secrets, notes


def _text(raw: object) -> str:
    return str(raw).lower() if isinstance(raw, bool) else str(raw)


def _interpolated(value: str) -> str | None:
    """`${LOG:-info}` is info; a value that only the caller's shell knows is required (None)."""
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return whole[3] if whole[2] == "-" else None
    if any(match[2] != "-" for match in _REFERENCE.finditer(value)):
        return None
    return _REFERENCE.sub(lambda match: match[3], value).replace("$$", "$")
