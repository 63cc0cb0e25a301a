"""Reading what was appended to a file since a place.

Meanwhile its front may have been cut off into an archive, as with process logs, or it was put
aside and begun anew, as with the router's log. Nothing is remembered but the place up to which
the file was read, so that a reader that starts again after a crash does what one that never
stopped does.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from steerway.telemetry.following.rules.places import PRINT_BYTES, Place, digest

ARCHIVES_MAX: Final = 5
# A file that is renamed just now is in neither place for a moment.
LOOKS: Final = 3


@dataclass(frozen=True, slots=True)
class _Segment:
    """A file that holds a part of what was written; number 0 is the newest."""

    path: Path
    inode: int
    size: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that follow a place.

    `is_whole`: there was no more. `is_lost`: the place was not found again, so lines may be
    missing before these bytes. `size` is the size of the newest file, by which its growth is seen.
    """

    data: bytes
    is_whole: bool
    is_lost: bool
    size: int
    _before: bytes
    _parts: tuple[tuple[_Segment, int, int], ...]  # segment, offset in it, bytes of it
    _archive: int

    def place(self, taken: int) -> Place | None:
        """The place behind so many of these bytes; None when there is no file."""
        if not self._parts:
            return None
        left = taken
        segment, offset, _ = self._parts[0]
        for segment, offset, size in self._parts:  # noqa: B007 -- the last one is used
            if left <= size:
                break
            left -= size
        before = (self._before + self.data[:taken])[-PRINT_BYTES:]
        return Place(segment.inode, offset + left, self._archive, len(before), digest(before))


NOTHING: Final = Piece(
    b"", is_whole=True, is_lost=False, size=0, _before=b"", _parts=(), _archive=0
)


def read(path: Path, after: Place | None, limit: int, *, archives: bool = False) -> Piece:
    """At most `limit` bytes that follow a place.

    Without a place, those from the beginning of the file as it is now, or of its oldest archive if
    `archives` are to be read too.
    """
    with _held(path) as is_there:
        if not is_there:
            return NOTHING
        segments = _segments(path)
        if not segments:
            return NOTHING
        first = (len(segments) - 1 if archives else 0, 0)
        found = first if after is None else _located(path, after)
        number, offset = found or (0, 0)
        return _taken(_segments(path), number, offset, limit, is_lost=found is None)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Keep whoever cuts the front off waiting; it holds the same lock. False: no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield True
    finally:
        os.close(descriptor)


def _segments(path: Path) -> list[_Segment]:
    """The file and its archives, newest first."""
    found = []
    for number in range(ARCHIVES_MAX + 1):
        one = path.with_name(f"{path.name}.{number}") if number else path
        try:
            stat = one.stat()
        except FileNotFoundError:
            break
        found.append(_Segment(one, stat.st_ino, stat.st_size))
    return found


def _located(path: Path, after: Place) -> tuple[int, int] | None:
    """The segment and the offset in it where a place is now; None when it is nowhere."""
    for _ in range(LOOKS):
        segments = _segments(path)
        number = next((n for n, s in enumerate(segments) if s.inode == after.file), None)
        if number is None:
            continue
        where = (number, after.offset) if number else _after_cuts(segments, after)
        if where is not None and _is_the_same(segments, *where, after):
            return where
        return None
    return None


def _after_cuts(segments: list[_Segment], after: Place) -> tuple[int, int] | None:
    """Where an offset of the newest file went: each cut moved its front to a new archive."""
    archives = [segment.inode for segment in segments[1:]]
    if after.archive in archives:
        cuts = archives.index(after.archive)
    else:
        cuts = len(archives) if after.archive == 0 else 0
    offset = after.offset
    for number in range(cuts, 0, -1):
        if offset < segments[number].size:
            return number, offset
        offset -= segments[number].size
    return (0, offset) if offset <= segments[0].size else None


def _is_the_same(segments: list[_Segment], number: int, offset: int, after: Place) -> bool:
    return digest(_before(segments, number, offset, after.length)) == after.digest


def _before(segments: list[_Segment], number: int, offset: int, length: int) -> bytes:
    """The bytes before an offset, the end of the older segment included."""
    start = max(0, offset - length)
    found = _bytes(segments[number].path, start, offset - start)
    if len(found) < length and number + 1 < len(segments):
        older = segments[number + 1]
        missing = length - len(found)
        found = _bytes(older.path, max(0, older.size - missing), missing) + found
    return found


def _taken(
    segments: list[_Segment], number: int, offset: int, limit: int, *, is_lost: bool
) -> Piece:
    """The bytes from there on, through to newer segments."""
    before = _before(segments, number, offset, PRINT_BYTES)
    parts, data, left = [], b"", limit
    for n in range(number, -1, -1):
        start = offset if n == number else 0
        found = _bytes(segments[n].path, start, left)
        # Who put the file aside may write to it until the new one has its first byte.
        if n < number and not found:
            break
        parts.append((segments[n], start, len(found)))
        data, left = data + found, left - len(found)
        if not left:
            break
    archive = segments[1].inode if len(segments) > 1 else 0
    size = segments[0].size
    return Piece(data, left > 0, is_lost, size, before, tuple(parts), archive)


def _bytes(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)
