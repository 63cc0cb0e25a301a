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
DOWN: Final = {
    202: "busy with other queries",
    203: "not reachable",
    209: "not reachable",
    210: "not reachable",
    242: "read only",
    243: "out of disk space",
    252: "behind with merging",
    279: "not reachable",
    999: "without its keeper",
}
# What ends a query for its own sake says of an insert that the engine has no room for it now.
NOT_NOW: Final = {159: "too slow", 160: "too slow", 241: "short of memory", CANCELLED: "stopping"}


def failure(text: str) -> Exception:
    """The error to raise for what the engine said of a query."""
    code = _code(text)
    if code in LIMITS:
        return QueryTooLarge(limit=LIMITS[code])
    if code == CANCELLED:
        return Cancelled()
    if code in DOWN:
        return StoreDown(why=DOWN[code])
    return QueryFailed(text, code)


def refusal(text: str) -> Exception:
    """The error to raise for what the engine said of an insert: is it worth another try?"""
    code = _code(text)
    return StoreDown(why=NOT_NOW[code]) if code in NOT_NOW else failure(text)


def _code(text: str) -> int:
    found = CODE.search(text)
    return int(found[1]) if found else 0
