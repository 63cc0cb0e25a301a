"""Log files of programs: their ends, and making room without stopping the writer."""

import ctypes
import errno
import fcntl
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, NamedTuple

SIZE_MAX = 10 * 1000 * 1000
KEEP = 5
# `shop.production.9c41d2aa.0.log`, and its archives: each deployment leaves its own.
_OF_REPLICA = re.compile(r"([a-z0-9-]+\.[a-z0-9-]+\.[0-9a-f]{8}\.\d+)\.log(\.\d+)?")
_CHUNK_BYTES = 1024 * 1024
_COLLAPSE_RANGE = 0x08  # FALLOC_FL_COLLAPSE_RANGE of linux/falloc.h
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM)


class Rotation(NamedTuple):
    """What was moved from the front of a log into its first archive.

    A reader that stood at byte n goes on at n - `moved_bytes`. `is_lossless`: the file system
    cut the front off, so no byte could be lost; otherwise what was written in the moment
    between the last copied byte and the cut, some microseconds, is.
    """

    moved_bytes: int
    is_lossless: bool


def tail(log: Path, size: int) -> str:
    """The last `size` bytes of a log as text, also when it was just rotated."""
    text = _end(log, size)
    if len(text) < size:
        text = _end(_archive(log, 1), size - len(text)) + text
    return text.decode(errors="replace")


def rotate(log: Path, size_max: int = SIZE_MAX, keep: int = KEEP) -> Rotation | None:
    """Move the front of a log that is over `size_max` to `LOG.1`, older ones on to `LOG.KEEP`.

    The program keeps its open file: it appends, so it goes on at the new end. Archives may
    begin within a line; read in order they are what was written.
    """
    try:
        descriptor = os.open(log, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # one who rotates at a time
        size = os.fstat(descriptor).st_size
        return _cut(descriptor, size, log, keep) if size > size_max else None
    finally:
        os.close(descriptor)


def remove(log: Path, keep: int = KEEP) -> None:
    """Delete a log and its archives."""
    for file in (log, *(_archive(log, n) for n in range(1, keep + 1))):
        file.unlink(missing_ok=True)


def forget(directory: Path, kept: Collection[str], before: float) -> list[str]:
    """Delete the logs of replicas that are gone and wrote last `before`; the names of the files.

    `kept` are the programs that are known. Logs of anything but replicas are not looked at.
    """
    gone = []
    for file in directory.iterdir():
        found = _OF_REPLICA.fullmatch(file.name)
        if found and found[1] not in kept and file.stat().st_mtime < before:
            file.unlink(missing_ok=True)
            gone.append(file.name)
    return gone


def _archive(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")


def _end(log: Path, size: int) -> bytes:
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read(size)
    except FileNotFoundError:
        return b""


def _cut(descriptor: int, size: int, log: Path, keep: int) -> Rotation:
    """Copy the front away, then take it off: whole blocks if the file system can, else all."""
    block = os.fstatvfs(descriptor).f_bsize
    # Cutting off a whole file is refused, so the last block stays.
    whole = (size - 1) // block * block
    draft = log.with_name(f".{log.name}.front")
    # On a full disk this fails before anything has moved.
    with draft.open("wb") as target:
        draft.chmod(0o600)
        _copy(descriptor, target, 0, whole)
        os.fsync(target.fileno())
        for number in range(keep, 1, -1):
            if (older := _archive(log, number - 1)).exists():
                older.replace(_archive(log, number))
        draft.replace(_archive(log, 1))
        if whole and _collapse(descriptor, whole):
            return Rotation(whole, is_lossless=True)
        moved = whole + _copy(descriptor, target, whole, None)
        os.ftruncate(descriptor, 0)
    return Rotation(moved, is_lossless=False)


def _copy(source: int, target: BinaryIO, start: int, size: int | None) -> int:
    """Copy `size` bytes, or all that there are at the moment it gets to the end."""
    done = 0
    while size is None or done < size:
        wanted = _CHUNK_BYTES if size is None else min(_CHUNK_BYTES, size - done)
        chunk = os.pread(source, wanted, start + done)
        if not chunk:
            break
        target.write(chunk)
        done += len(chunk)
    target.flush()
    return done


def _collapse(descriptor: int, size: int) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    offset = ctypes.c_int64
    libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, offset, offset]
    if libc.fallocate(descriptor, _COLLAPSE_RANGE, 0, size) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number))
