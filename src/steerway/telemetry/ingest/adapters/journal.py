"""A journal on disk of what was taken in and is not yet in the store.

A segment holds the batches of one insert. A record is written with one call, so that a kill of
this process leaves it whole or cut off at the end of a segment, never mixed; what the kernel has
taken survives the process. It does not survive a loss of power, and neither does the store's
newest part.

A segment is called by its place in the order, and by chance: the store knows an insert again by
that name, so none may come twice, whatever the clock does and whatever became of the directory.
"""

import os
import secrets
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from steerway.telemetry.ingest.adapters.digests import DIGEST_BYTES, Digests
from steerway.telemetry.ingest.errors import NotStored

SUFFIX: Final = ".rows"
ASIDE: Final = ".refused"
ASIDE_MAX: Final = 10
CHANCE_BYTES: Final = 8
HEAD: Final = struct.Struct("<II")  # length of what follows, and its checksum
PART: Final = struct.Struct("<HI")  # lengths of a table's name and of its rows
NO_DIGEST: Final = bytes(DIGEST_BYTES)


@dataclass(frozen=True, slots=True)
class Record:
    """What one request brought: rows by table, and the digest of its body."""

    tables: dict[str, pa.Table]
    digest: bytes


class Journal:
    """Segments in a directory, written one after the other."""

    def __init__(self, directory: Path) -> None:
        """Go on after the segments that are there."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self.digests = Digests(directory / "digests")  # of what was in segments that are dropped
        self.left = self.segments()  # of earlier processes
        names = [path.name for path in directory.glob("*-*")]
        self._number = max((int(name.partition("-")[0]) for name in names), default=0)
        self._next()
        self._file: int | None = None
        self._size = 0

    def segments(self) -> list[str]:
        """The names of the segments on disk, oldest first."""
        return sorted(path.stem for path in self._directory.glob(f"*-*{SUFFIX}"))

    def append(self, tables: Mapping[str, pa.Table], digest: bytes = NO_DIGEST) -> None:
        """Write a record to the current segment; it survives this process when this returns.

        Raises:
            NotStored: the disk does not take it.
        """
        body = digest + b"".join(_part(name, rows) for name, rows in tables.items())
        record = HEAD.pack(len(body), zlib.crc32(body)) + body
        try:
            if self._file is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._file, self._size = os.open(self._path(self._name), flags, 0o600), 0
            if os.write(self._file, record) != len(record):
                # What is cut off would hide what is written after it.
                os.ftruncate(self._file, self._size)
                raise NotStored(reason="the disk is full")
        except OSError as error:
            raise NotStored(reason=error.strerror) from error
        self._size += len(record)

    def turn(self) -> str:
        """End the current segment, and begin the next; gives the name of the one ended."""
        ended = self._name
        self._next()
        self.close()
        return ended

    def drop(self, segment: str, digests: list[bytes]) -> None:
        """Delete a segment whose rows are in the store; the digests of its bodies stay."""
        if digests:
            self.digests.add(digests)
        self._path(segment).unlink(missing_ok=True)

    def set_aside(self, segment: str) -> None:
        """Keep a segment that the store refuses for somebody to look at; the oldest make room."""
        path = self._path(segment)
        if path.exists():
            path.rename(path.with_suffix(ASIDE))
        for old in sorted(self._directory.glob(f"*{ASIDE}"))[:-ASIDE_MAX]:
            old.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def records(self, segment: str) -> Iterator[Record]:
        """The records of a segment, up to the first that is cut off."""
        raw = memoryview(self._path(segment).read_bytes())
        at = 0
        while at + HEAD.size <= len(raw):
            length, checksum = HEAD.unpack_from(raw, at)
            body = raw[at + HEAD.size : at + HEAD.size + length]
            if len(body) != length or zlib.crc32(body) != checksum:
                return
            yield Record(dict(_parts(body[DIGEST_BYTES:])), bytes(body[:DIGEST_BYTES]))
            at += HEAD.size + length

    def _next(self) -> None:
        self._number += 1
        self._name = f"{self._number:012d}-{secrets.token_hex(CHANCE_BYTES)}"

    def _path(self, segment: str) -> Path:
        return self._directory / f"{segment}{SUFFIX}"


def _part(name: str, rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    stream: bytes = sink.getvalue().to_pybytes()
    return PART.pack(len(name), len(stream)) + name.encode() + stream


def _parts(body: memoryview) -> Iterator[tuple[str, pa.Table]]:
    at = 0
    while at < len(body):
        name_length, length = PART.unpack_from(body, at)
        at += PART.size
        name = bytes(body[at : at + name_length]).decode()
        at += name_length
        yield name, pa.ipc.open_stream(pa.py_buffer(body[at : at + length])).read_all()
        at += length
