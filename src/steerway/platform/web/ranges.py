"""The time range of a page, from its address: `?since=1h`, or `?from=…&until=…`. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.http import QueryDict

CHOICES: Final = {
    "5m": "Last 5 minutes",
    "15m": "Last 15 minutes",
    "30m": "Last 30 minutes",
    "1h": "Last hour",
    "3h": "Last 3 hours",
    "6h": "Last 6 hours",
    "12h": "Last 12 hours",
    "24h": "Last 24 hours",
    "2d": "Last 2 days",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
}
SINCE: Final = "1h"
SPAN: Final = re.compile(r"(\d{1,6})([smhdw])")
SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
SPAN_MAX: Final = timedelta(days=400)
# The names of a range in an address, and of a place within it.
NAMES: Final = ("since", "from", "until", "before")


@dataclass(frozen=True, slots=True)
class Range:
    """From a moment until another. `since` is how it was asked for, when it ends now."""

    start: datetime
    end: datetime
    since: str = ""
    fallback: str = SINCE

    @property
    def span(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    @property
    def words(self) -> str:
        """How people call it."""
        if self.since:
            return CHOICES.get(self.since, f"Last {self.since}")
        return f"{self.start:%-d %b %H:%M} - {self.end:%-d %b %H:%M}"

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What the control offers."""
        return list(CHOICES.items())

    @property
    def from_text(self) -> str:
        """The beginning, for a field of a form."""
        return self.start.strftime("%Y-%m-%dT%H:%M:%S")

    @property
    def until_text(self) -> str:
        """The end, for a field of a form."""
        return self.end.strftime("%Y-%m-%dT%H:%M:%S")

    @property
    def query(self) -> str:
        """The range as a part of an address."""
        if self.since:
            return f"since={self.since}"
        return f"from={self.from_text}Z&until={self.until_text}Z"


def of(asked: QueryDict, now: datetime, *, fallback: str = SINCE) -> Range:
    """The range that an address asks for; what cannot be read is the usual one."""
    start, end = _moment(asked.get("from", "")), _moment(asked.get("until", ""))
    if start and end and timedelta() < end - start <= SPAN_MAX:
        return Range(start, end, fallback=fallback)
    since = asked.get("since", "")
    found = _span(since) or _span(fallback)
    assert found is not None
    return Range(now - found, now, since if _span(since) else fallback, fallback)


def _span(text: str) -> timedelta | None:
    match = SPAN.fullmatch(text)
    if match is None:
        return None
    span = timedelta(seconds=int(match[1]) * SECONDS[match[2]])
    return span if timedelta() < span <= SPAN_MAX else None


def _moment(text: str) -> datetime | None:
    try:
        if text.replace(".", "", 1).isdecimal():
            return datetime.fromtimestamp(float(text), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
