"""Where a file was read up to, so that it is found again after it was cut or replaced. Pure."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

PRINT_BYTES: Final = 64
_WRITTEN: Final = re.compile(r"(\d+)-(\d+)-(\d+)-(\d+)-([0-9a-f]*)")


@dataclass(frozen=True, slots=True)
class Place:
    """Bytes read of a file, whatever it is called by now.

    `file` and `archive` are inodes: of the file read from, and of its newest archive then, by
    which a cut of its front is noticed. `digest` is of the `length` bytes before `offset`.
    """

    file: int
    offset: int
    archive: int
    length: int
    digest: str

    def written(self) -> str:
        """As text."""
        return f"{self.file}-{self.offset}-{self.archive}-{self.length}-{self.digest}"


def place(text: str) -> Place | None:
    """What `written` wrote; None when it is something else."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    return Place(int(found[1]), int(found[2]), int(found[3]), int(found[4]), found[5])


def digest(before: bytes) -> str:
    """A print of the bytes before a place."""
    return blake2b(before, digest_size=8).hexdigest() if before else ""
