"""What can be asked about lines, and what comes back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from steerway.telemetry.logs.errors import FilterInvalid
from steerway.telemetry.logs.rules import severity as severities

ROWS: Final = 100
ROWS_MAX: Final = 1000
TERMS_MAX: Final = 20
TEXT_MAX: Final = 1000  # characters of what is looked for
BARS: Final = 100  # of a histogram, about
STEPS: Final = tuple(
    timedelta(seconds=s)
    for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200)
)
DAY: Final = timedelta(days=1)
TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
# What Steerway itself notes on a line.
PLACE: Final = "steerway.place"  # the file was read up to here; on the last line of a batch
CUT: Final = "steerway.cut"  # the line goes on in the next one
GAP: Final = "steerway.gap"  # lines before this one may be missing
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TERM: Final = re.compile(r'(-?)"((?:[^"\\]|\\.)*)"|(\S+)')
_ESCAPED: Final = re.compile(r"\\(.)")
_CURSOR: Final = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16})-(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Term:
    """A piece of text that a line must contain, or must not."""

    text: str
    is_excluded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines: of a span of time, and whatever else is given.

    `severity` is the least one, as a number of OpenTelemetry. `text` holds words and "phrases"
    that all must occur, -words that must not. `until` is exclusive.
    """

    since: datetime
    until: datetime
    service: str = ""
    environment: str = ""
    version: str = ""
    instance: str = ""
    source: str = ""
    severity: int = 0
    text: str = ""
    match_case: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    trace_id: str = ""

    def between(self, since: datetime, until: datetime) -> "Filter":
        """The same of another span of time."""
        return replace(self, since=since, until=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, or one message of several lines. `key` tells lines of one moment apart."""

    ts: datetime
    key: int
    service: str
    environment: str
    version: str
    instance: str
    source: str
    severity: int
    body: str
    attributes: Mapping[str, str]
    trace_id: str
    span_id: str

    @property
    def level(self) -> str:
        """Its severity as a word; empty when unknown."""
        return severities.name(self.severity)


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, newest first; `next` continues after the last one, empty at the end."""

    lines: tuple[Line, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Lines of one step of time, by the word of their severity ("" is unknown)."""

    starts_at: datetime
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many lines when. A step without a line is absent: zero, if the source was heard of."""

    step: timedelta
    bars: tuple[Bar, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The values that a field has, with their lines, most first."""

    name: str
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last line of a page: its moment, its key, and how many like it were shown."""

    ts: datetime
    key: int
    shown: int

    def written(self) -> str:
        """As text for an address."""
        return f"{(self.ts - _EPOCH) // _MICROSECOND:x}-{self.key:x}-{self.shown}"


def cursor(text: str) -> Cursor | None:
    """A cursor from its text; None for the first page.

    Raises:
        FilterInvalid: it is not one of ours.
    """
    if not text:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise FilterInvalid(field="after", problem="is not the `next` of an earlier page")
    try:
        at = _EPOCH + int(found[1], 16) * _MICROSECOND
    except OverflowError as error:
        raise FilterInvalid(field="after", problem="is no moment") from error
    return Cursor(at, int(found[2], 16), int(found[3]))


def cursor_after(lines: list[Line], before: Cursor | None) -> Cursor:
    """The cursor behind the last of these lines, of which there is at least one."""
    last = lines[-1]
    shown = sum(1 for line in lines if (line.ts, line.key) == (last.ts, last.key))
    if before is not None and (before.ts, before.key) == (last.ts, last.key):
        shown += before.shown
    return Cursor(last.ts, last.key, shown)


def terms(text: str) -> tuple[Term, ...]:
    r"""The words and phrases of what somebody typed: `timeout "connection refused" -health`.

    Raises:
        FilterInvalid: they are too many.
    """
    if len(text) > TEXT_MAX:
        raise FilterInvalid(field="text", problem=f"has more than {TEXT_MAX} characters")
    found = []
    for minus, phrase, word in _TERM.findall(text):
        if word:
            is_excluded = len(word) > 1 and word.startswith("-")
            found.append(Term(word[1:] if is_excluded else word, is_excluded))
        elif phrase:
            found.append(Term(_ESCAPED.sub(r"\1", phrase), bool(minus)))
    if len(found) > TERMS_MAX:
        raise FilterInvalid(field="text", problem=f"has more than {TERMS_MAX} words")
    return tuple(found)


def step_of(span: timedelta) -> timedelta:
    """A round step that cuts a span into about a hundred bars."""
    return next((s for s in STEPS if span <= s * BARS), DAY * max(1, -(-span // (DAY * BARS))))
