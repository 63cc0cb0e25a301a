"""The files that replicas read their flags from, and the counts they leave beside them.

A file is written whole and renamed into place, so nobody reads half of one. Counts come from
programs that Steerway does not trust: they are bounded, and what cannot be read is passed over.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from steerway.delivery.declarations.rules.documents import etag, file_of, reports_of

REPORTS_MAX: Final = 200  # of one service in one environment: one a replica
REPORT_BYTES_MAX: Final = 262_144
Counts = Mapping[str, Mapping[str, int]]
Outcomes = Mapping[str, Mapping[str, Mapping[str, int]]]


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

    def beat(self) -> None:
        """Leave the mark by which readers know that somebody keeps their flags."""
        folder = self._home / "flags"
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "alive").touch()

    def tidy(self, service: str, environment: str, *, before: float) -> None:
        """Remove what replicas left that have not been there since a moment in seconds."""
        for path in _some(reports_of(self._home, service, environment)):
            with suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()

    def outcomes(self, service: str, environment: str) -> dict[str, Outcomes]:
        """How requests ended by flag and variant, of each replica since it started.

        Shape: by replica, then flag, variant and outcome ("ok" or "error").
        """
        found: dict[str, Outcomes] = {}
        for path in _some(reports_of(self._home, service, environment)):
            said = _whole(path).get("requests")
            if isinstance(said, dict):
                found[path.stem] = {
                    flag: {
                        variant: _numbers(row)
                        for variant, row in rows.items()
                        if isinstance(row, dict)
                    }
                    for flag, rows in said.items()
                    if isinstance(rows, dict)
                }
        return found

    def evaluations(self, service: str, environment: str) -> dict[str, Counts]:
        """What each replica has counted since it started: evaluations by flag and variant."""
        folder = reports_of(self._home, service, environment)
        return {p.stem: found for p in _some(folder) if (found := _read(p)) is not None}

    def counts(self, service: str, environment: str) -> list[Counts]:
        """The same, whoever counted."""
        return list(self.evaluations(service, environment).values())


def _some(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            for entry, _ in zip(entries, range(REPORTS_MAX), strict=False):
                if entry.name.endswith(".json") and entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)
    except OSError:
        return


def _read(path: Path) -> Counts | None:
    evaluations = _whole(path).get("evaluations")
    if not isinstance(evaluations, dict):
        return None
    return {flag: _numbers(row) for flag, row in evaluations.items() if isinstance(row, dict)}


def _whole(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(REPORT_BYTES_MAX))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _numbers(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: n for name, n in row.items() if isinstance(n, int) and not isinstance(n, bool)}
