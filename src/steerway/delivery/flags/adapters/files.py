"""The files that replicas read their flags from, and the counts they leave beside them.

A file is written whole and renamed into place, so nobody reads half of one. Counts come from
programs that Steerway does not trust: they are bounded, and what cannot be read is passed over.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from steerway.delivery.flags.rules.documents import etag, file_of, reports_of

REPORTS_MAX: Final = 200  # of one service in one environment: one a replica
REPORT_BYTES_MAX: Final = 262_144
Counts = Mapping[str, Mapping[str, int]]


class FlagFiles:
    """The flag files of one installation."""

    def __init__(self, home: Path) -> None:
        """Keep them below `home`."""
        self._home = home

    def etag(self, service: str, environment: str) -> str:
        """The digest of the file that is there; empty when there is none."""
        try:
            return etag(file_of(self._home, service, environment).read_text())
        except OSError:
            return ""

    def write(self, service: str, environment: str, text: str) -> None:
        """Put a file in place; readers have the old or the new one, at any time."""
        path = file_of(self._home, service, environment)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(text)
        draft.replace(path)

    def counts(self, service: str, environment: str) -> list[Counts]:
        """What the replicas have counted since they started: evaluations by flag and variant."""
        folder = reports_of(self._home, service, environment)
        return [found for path in _some(folder) if (found := _read(path)) is not None]


def _some(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            for entry, _ in zip(entries, range(REPORTS_MAX), strict=False):
                if entry.name.endswith(".json") and entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)
    except OSError:
        return


def _read(path: Path) -> Counts | None:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(REPORT_BYTES_MAX))
    except (OSError, ValueError, RecursionError):
        return None
    evaluations = found.get("evaluations") if isinstance(found, dict) else None
    if not isinstance(evaluations, dict):
        return None
    return {flag: _numbers(row) for flag, row in evaluations.items() if isinstance(row, dict)}


def _numbers(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: n for name, n in row.items() if isinstance(n, int) and not isinstance(n, bool)}
