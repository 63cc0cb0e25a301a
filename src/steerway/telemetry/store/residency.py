"""The engine's code as the kernel counts it: what only starting needed is not kept mapped.

Loading the engine touches most of its 500 MB library, and the kernel counts all that was touched
as memory of this process. Such pages are clean copies of the file: unmapping them loses nothing,
and what is used comes back from the page cache with the next call.
"""

import ctypes
import mmap
import re
from pathlib import Path
from typing import Final

LIBRARY: Final = "_chdb"
# An address range that is not written to, and of which no page was changed by the loader.
AREA: Final = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \S+ +(\S+)$(.*?)^VmFlags", re.M | re.S
)
UNCHANGED: Final = re.compile(r"^Anonymous: +0 kB$", re.M)
SMAPS: Final = Path("/proc/self/smaps")


def release() -> None:
    """Unmap the library's unchanged pages; where the kernel has no such thing, nothing."""
    if not SMAPS.exists():
        return
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in _areas(SMAPS.read_text()):
        libc.madvise(start, end - start, mmap.MADV_DONTNEED)


def _areas(smaps: str) -> list[tuple[int, int]]:
    return [
        (int(start, 16), int(end, 16))
        for start, end, file, facts in AREA.findall(smaps)
        if LIBRARY in file and UNCHANGED.search(facts)
    ]
