"""A file of SQLite, without opening it as one: nobody waits for a lock because of us."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from steerway.telemetry.scraping.rules.batch import Point

MAGIC: Final = b"SQLite format 3\0"
HEADER_BYTES: Final = 100
LARGEST_PAGE: Final = 65_536


def points(path: Path) -> Iterator[Point]:
    """Size, pages and free pages. `sqlite_up` is 0 when there is no such file.

    While a writer works, pages are those of the last checkpoint; the rest is in the WAL.
    Source: "Database File Format", section 1.3.
    """
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
        size = path.stat().st_size
    except OSError:
        header, size = b"", 0
    is_one = header.startswith(MAGIC) and len(header) == HEADER_BYTES
    yield Point("sqlite_up", {}, float(is_one))
    if not is_one:
        return
    (page,) = struct.unpack(">H", header[16:18])
    pages, free = struct.unpack(">I", header[28:32])[0], struct.unpack(">I", header[36:40])[0]
    yield Point("sqlite_database_bytes", {}, size)
    yield Point("sqlite_page_bytes", {}, LARGEST_PAGE if page == 1 else page)
    yield Point("sqlite_pages", {}, pages)
    yield Point("sqlite_freelist_pages", {}, free)
    yield Point("sqlite_wal_bytes", {}, _size(path.with_name(f"{path.name}-wal")))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
