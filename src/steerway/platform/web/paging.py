"""Pages of a list by key: each page says where the next one begins."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from django.http import HttpRequest

T = TypeVar("T")

ROWS: Final = 50


def page(
    request: HttpRequest,
    read: Callable[[str, int], Sequence[T]],
    key: Callable[[T], object],
    *,
    name: str = "before",
) -> dict[str, Any]:
    """What `web/pager.html` and a list need, for the page that `?before=KEY` asks for.

    Shape: `rows`; `next`, the key the following page begins at, empty at the end; `is_later`
    and `first_query`, the way back. `read(key, rows)` is asked for one row more than is shown.
    """
    asked = request.GET.get(name, "")
    rows = list(read(asked, ROWS + 1))
    query = request.GET.copy()
    query.pop(name, None)
    return {
        "rows": rows[:ROWS],
        "next": str(key(rows[ROWS - 1])) if len(rows) > ROWS else "",
        "is_later": bool(asked),
        "first_query": query.urlencode(),
        "pager_key": name,
    }


def number(text: str) -> int | None:
    """A key that is a number; None when it is not, which means the first page."""
    return int(text) if text.isdecimal() and len(text) < len(str(2**63)) else None
