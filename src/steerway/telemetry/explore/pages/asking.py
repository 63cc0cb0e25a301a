"""What an address asks for, as filters of logs and traces."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.http import QueryDict

from steerway.platform.web.ranges import NAMES, Range
from steerway.telemetry.logs.rules import severity
from steerway.telemetry.logs.rules.search import Filter
from steerway.telemetry.traces.rules.search import TraceFilter

TYPED_MAX: Final = 500
FIELD_MAX: Final = 200
ATTRIBUTES_MAX: Final = 10
SPAN_MAX: Final = timedelta(hours=1)
# Fields of a line that a page filters by.
LINE_FIELDS: Final = ("service", "environment", "version", "instance", "source")
LEVELS: Final = tuple(severity.NUMBERS)


def lines(asked: QueryDict, range_: Range) -> Filter:
    """The lines that an address asks for."""
    return Filter(
        since=range_.start,
        until=range_.end,
        text=asked.get("q", "")[:TYPED_MAX],
        severity=severity.NUMBERS.get(asked.get("level", ""), 0),
        trace_id=asked.get("trace", "")[:FIELD_MAX].lower(),
        attributes=_attributes(asked),
        service=_field(asked, "service"),
        environment=_field(asked, "environment"),
        version=_field(asked, "version"),
        instance=_field(asked, "instance"),
        source=_field(asked, "source"),
    )


def traces(asked: QueryDict, range_: Range) -> TraceFilter:
    """The traces that an address asks for."""
    return TraceFilter(
        since=range_.start,
        until=range_.end,
        name=asked.get("name", "")[:FIELD_MAX],
        status="error" if asked.get("status") == "error" else "",
        min_duration=timedelta(milliseconds=_milliseconds(asked.get("longer", ""))),
        attributes=_attributes(asked),
        service=_field(asked, "service"),
        environment=_field(asked, "environment"),
        version=_field(asked, "version"),
    )


def _field(asked: QueryDict, name: str) -> str:
    return str(asked.get(name, ""))[:FIELD_MAX]


def _attributes(asked: QueryDict) -> dict[str, str]:
    """`attr=name=value`, as often as wanted."""
    pairs = (one[:FIELD_MAX].partition("=") for one in asked.getlist("attr")[:ATTRIBUTES_MAX])
    return {name: value for name, equal, value in pairs if name and equal}


def _milliseconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0
    return max(0.0, min(found, SPAN_MAX / timedelta(milliseconds=1)))


def chips(asked: QueryDict, names: Iterable[str]) -> list[tuple[str, str, str]]:
    """What narrows the search: its name, its value, and the address without it."""
    found = [
        (name, value, without(asked, name, value))
        for name in names
        if (value := _field(asked, name))
    ]
    for one in asked.getlist("attr")[:ATTRIBUTES_MAX]:
        name, _, value = one.partition("=")
        found.append((name, value, without(asked, "attr", one)))
    return found


def without(asked: QueryDict, name: str, value: str) -> str:
    """The query of an address without one of its conditions."""
    left = asked.copy()
    left.pop("after", None)
    left.setlist(name, [one for one in left.getlist(name) if one != value])
    return left.urlencode()


def also(asked: QueryDict, name: str, value: str) -> str:
    """The query of an address with one condition more."""
    more = asked.copy()
    for old in ("after", "partial"):
        more.pop(old, None)
    if name == "attr":
        more.setlist(name, [*dict.fromkeys([*more.getlist(name), value])])
    else:
        more[name] = value
    return more.urlencode()


def bare(asked: QueryDict) -> str:
    """The query of an address without its range, which the page adds to its parts."""
    left = asked.copy()
    for name in NAMES:
        left.pop(name, None)
    return left.urlencode()
