"""Gives Envoy a file and waits for its answer."""

import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from steerway.delivery.router.adapters.admin import Admin
from steerway.delivery.router.adapters.xds import Json
from steerway.delivery.router.errors import RouterDown, RouterRefused

ACK_LIMIT: Final = timedelta(seconds=5)
LOOK_SECONDS: Final = 0.003  # between two looks at the admin socket; one takes half a millisecond
REASON_LIMIT: Final = timedelta(seconds=2)  # Envoy writes its log once a second
REASON_MAX: Final = 600  # characters
REFUSAL: Final = "update rejected: "
ENTRY: Final = re.compile(r"^(?=\[\d{4}-)", re.MULTILINE)


class Files:
    """The files that Envoy follows. Each is whole at every moment: renamed into place."""

    def __init__(self, directory: Path, admin: Admin) -> None:
        self.directory = directory
        self.admin = admin

    def read(self, name: str, otherwise: Json) -> Json:
        """The content of a file, or something else where there is none or somebody broke it."""
        found: Json | None = read(self.directory / name)
        return otherwise if found is None else found

    def push(self, name: str, document: Json, subject: str) -> bool:
        """Make Envoy follow this document; False when it already does.

        `subject` begins the names of the statistics that acknowledge the file.

        Raises:
            RouterRefused: Envoy keeps the content before, and so does the file.
            RouterDown: no answer, or none in time.
        """
        path = self.directory / name
        before = self._answers(subject)
        version = document["version_info"]
        if before.get("version_text") == version and read(path) == document:
            return False
        kept = path.read_bytes() if path.exists() else None
        log_bytes = size(self.admin.log)
        write(path, document)
        if not wait(lambda: self._settled(subject, version, before), ACK_LIMIT):
            raise RouterDown(reason=f"it did not take {name}", log=self.admin.log)
        if self._answers(subject).get("version_text") != version:
            if kept is not None:
                write_bytes(path, kept)
            raise RouterRefused(kind=path.stem, reason=self._reason(log_bytes))
        return True

    def _settled(self, subject: str, version: str, before: dict[str, str]) -> bool:
        now = self._answers(subject)
        if now.get("version_text") == version:
            return True
        return any(now[one] != before.get(one) for one in now.keys() - {"version_text"})

    def _answers(self, subject: str) -> dict[str, str]:
        pattern = rf"^{re.escape(subject)}\.(version_text|update_rejected|update_failure)$"
        found = self.admin.statistics(pattern)
        return {name.rpartition(".")[2]: value for name, value in found.items()}

    def _reason(self, log_bytes: int) -> str:
        """What Envoy logged since; its statistics only count refusals."""
        if wait(lambda: bool(self._refusals(log_bytes)), REASON_LIMIT):
            return self._refusals(log_bytes)[-1]
        return f"see {self.admin.log}."

    def _refusals(self, log_bytes: int) -> list[str]:
        if not self.admin.log.exists():
            return []
        with self.admin.log.open("rb") as log:
            log.seek(log_bytes)
            entries = ENTRY.split(log.read().decode(errors="replace"))
        # Envoy quotes the whole resource first; what is wrong with it stands in the last line.
        said = [one.strip().splitlines()[-1] for one in entries if REFUSAL in one]
        return [f"{one.rpartition(REFUSAL)[2].strip(' :.')}."[-REASON_MAX:] for one in said]


def wait(condition: Callable[[], bool], limit: timedelta) -> bool:
    """Whether a condition came true within the limit."""
    end = time.monotonic() + limit.total_seconds()
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def read(path: Path) -> Any:
    """The content of a file, None when there is none or it is no JSON."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def write(path: Path, document: Json) -> None:
    """Put a document in place as a whole; a reader sees the one before or this one."""
    write_bytes(path, json.dumps(document, indent=1).encode() + b"\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Put bytes in place as a whole. Envoy only notices a rename, not a write."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)


def size(path: Path) -> int:
    """The bytes of a file, none when it is not there."""
    return path.stat().st_size if path.exists() else 0
