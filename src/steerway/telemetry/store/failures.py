"""What the engine's error numbers mean here."""

import re
from typing import Final

from steerway.telemetry.store.errors import Cancelled, QueryFailed, QueryTooLarge, StoreDown

CODE: Final = re.compile(r"Code: (\d+)")
LIMITS: Final = {
    158: "rows",
    159: "time",
    160: "time",
    241: "memory",
    307: "memory",
    396: "rows",
}
CANCELLED: Final = 394
DISK_FULL: Final = 243


def failure(text: str) -> Exception:
    """The error to raise for what the engine said."""
    found = CODE.search(text)
    code = int(found[1]) if found else 0
    if code in LIMITS:
        return QueryTooLarge(limit=LIMITS[code])
    if code == CANCELLED:
        return Cancelled()
    if code == DISK_FULL:
        return StoreDown(why="out of disk space")
    return QueryFailed(text, code)
