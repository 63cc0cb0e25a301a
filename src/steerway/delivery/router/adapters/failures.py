"""Follows the router's log of attempts that failed."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

BYTES_MAX: Final = 4_000_000  # read at once; in a storm the rest is read at the next look
CALLERS_BYTES: Final = 2_000_000
CLIENT_LEFT: Final = "DC"

Failed = tuple[str, str, str]  # version as the router calls it, client, method and path


def callers(access_log: Path, service: str, environment: str) -> Counter[str]:
    """How many of the newest requests to a service each client address made.

    Out of the last two megabytes of the router's access log, which are about five thousand lines.
    """
    try:
        with access_log.open("rb") as log:
            log.seek(max(0, access_log.stat().st_size - CALLERS_BYTES))
            lines = log.read(CALLERS_BYTES).splitlines()[1:]
    except FileNotFoundError:
        return Counter()
    found: Counter[str] = Counter()
    for line in lines:
        with suppress(json.JSONDecodeError):
            one = json.loads(line)
            if (one.get("service"), one.get("environment")) == (service, environment):
                found[one.get("client", "")] += 1
    return found


class Failures:
    """What has failed for one service since the look before. One reader has one of these."""

    def __init__(self, path: Path, service: str, environment: str) -> None:
        """Begin at the end of what is there."""
        self._path = path
        self._place = (service, environment)
        self._inode, self._offset = self._end()
        self._rest = b""

    def look(self) -> Counter[Failed]:
        """How often whom the service has failed where; a log that was begun anew is read whole."""
        lines = self._read().splitlines()
        found: Counter[Failed] = Counter()
        for line in lines:
            try:
                one = json.loads(line)
            except json.JSONDecodeError:
                continue
            is_ours = (one.get("service"), one.get("environment")) == self._place
            if is_ours and CLIENT_LEFT not in one.get("flags", "").split(","):
                route = f"{one.get('method', '')} {one.get('path', '')}"
                found[one.get("version", ""), one.get("client", ""), route] += 1
        return found

    def _read(self) -> bytes:
        """Whole lines that are new."""
        inode, size = self._end()
        if inode != self._inode or size < self._offset:
            self._inode, self._offset, self._rest = inode, 0, b""
        if size == self._offset:
            return b""
        with self._path.open("rb") as log:
            log.seek(self._offset)
            piece = log.read(BYTES_MAX)
        self._offset += len(piece)
        whole, _, self._rest = (self._rest + piece).rpartition(b"\n")
        return whole

    def _end(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_ino, found.st_size
