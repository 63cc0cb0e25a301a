"""Memory that this process has and does not use, given back to the system.

Loading the engine touches most of its 500 MB library, and the kernel counts all that was touched
as memory of this process. Such pages are clean copies of the file: unmapping them loses nothing,
and what is used comes back from the page cache with the next call. What batches and answers took
is kept by the allocators of Arrow and of C for the next ones, and there may be none for long.
"""

import ctypes
import mmap
import re
from pathlib import Path
from typing import Final

import pyarrow as pa

LIBRARY: Final = "_chdb"
# An address range that is not written to, and of which no page was changed by the loader.
AREA: Final = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \S+ +(\S+)$(.*?)^VmFlags", re.M | re.S
)
UNCHANGED: Final = re.compile(r"^Anonymous: +0 kB$", re.M)
SMAPS: Final = Path("/proc/self/smaps")


def release() -> None:
    """Give back what is not used; where the system has no such thing, nothing."""
    pa.default_memory_pool().release_unused()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    if not SMAPS.exists():
        return
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in _areas(SMAPS.read_text()):
        libc.madvise(start, end - start, mmap.MADV_DONTNEED)


def _areas(smaps: str) -> list[tuple[int, int]]:
    return [
        (int(start, 16), int(end, 16))
        for start, end, file, facts in AREA.findall(smaps)
        if LIBRARY in file and UNCHANGED.search(facts)
    ]
