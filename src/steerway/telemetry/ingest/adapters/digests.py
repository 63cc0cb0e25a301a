"""The digests of bodies that are in the store, on disk: the newest ones."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

DIGEST_BYTES: Final = 16
DIGESTS_MAX: Final = 10_000


class Digests:
    """A file of digests, one after the other. It survives this process, not a loss of power.

    Is there no room for one on disk, a body that comes again after a kill counts twice; that is
    no reason to stop.
    """

    def __init__(self, path: Path) -> None:
        """Go on with those that are there."""
        self._path = path
        self._count = path.stat().st_size // DIGEST_BYTES if path.exists() else 0

    def __iter__(self) -> Iterator[bytes]:
        """All of them, oldest first."""
        raw = self._path.read_bytes() if self._count else b""
        for number in range(self._count):
            yield raw[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES]

    def add(self, digests: list[bytes]) -> None:
        """Remember some more; the oldest make room."""
        with suppress(OSError):
            if self._count > 2 * DIGESTS_MAX:
                self._shorten()
            flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
            file = os.open(self._path, flags, 0o600)
            try:
                # At its place, whatever a write that was cut off has left behind the last one.
                written = os.pwrite(file, b"".join(digests), self._count * DIGEST_BYTES)
            finally:
                os.close(file)
            self._count += written // DIGEST_BYTES

    def _shorten(self) -> None:
        kept = list(self)[-DIGESTS_MAX:]
        anew = self._path.with_suffix(".anew")
        anew.write_bytes(b"".join(kept))
        anew.replace(self._path)
        self._count = len(kept)
