"""A filter from what somebody wrote in an address or a command. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from steerway.telemetry.logs.errors import FilterInvalid
from steerway.telemetry.logs.rules import severity as severities
from steerway.telemetry.logs.rules.search import TRACE_ID, Filter, terms

HOUR: Final = timedelta(hours=1)
ATTRIBUTES_MAX: Final = 10
VALUE_MAX: Final = 500
FIELDS: Final = ("service", "environment", "version", "instance", "source")
_SPAN: Final = re.compile(r"(\d{1,6})(ms|s|m|min|h|d|w)")
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": HOUR,
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def asked(given: Mapping[str, str], attributes: Sequence[str], *, now: datetime) -> Filter:
    """The filter that these texts are; without a time, the last hour.

    Raises:
        FilterInvalid: one of them cannot be understood.
    """
    until = moment("until", given.get("until", ""), now=now, default=now)
    since = moment("since", given.get("since", ""), now=now, default=until - HOUR)
    if since >= until:
        raise FilterInvalid(field="since", problem="is not before `until`")
    found = Filter(
        since=since,
        until=until,
        severity=severity(given.get("severity", "")),
        text=given.get("text", ""),
        match_case=given.get("match_case", "") in {"true", "1"},
        attributes=pairs(attributes),
        trace_id=trace_id(given.get("trace_id", "")),
        **{name: value(name, given.get(name, "")) for name in FIELDS},
    )
    terms(found.text)
    return found


def moment(field: str, text: str, *, now: datetime, default: datetime) -> datetime:
    """A moment: ISO 8601, or how long ago as 15m, 2h, 3d.

    Raises:
        FilterInvalid: it is neither.
    """
    if not text:
        return default
    if found := _SPAN.fullmatch(text):
        return now - int(found[1]) * _UNITS[found[2]]
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        problem = f"a moment as 2026-03-02T12:00:00Z, or an age as 15m or 2h, is expected: {text!r}"
        raise FilterInvalid(field=field, problem=problem) from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def duration(field: str, text: str) -> timedelta:
    """A length of time as 250ms or 2s; nothing for an empty text.

    Raises:
        FilterInvalid: it is none.
    """
    if not text:
        return timedelta(0)
    if found := _SPAN.fullmatch(text):
        return int(found[1]) * _UNITS[found[2]]
    raise FilterInvalid(field=field, problem=f"a duration as 250ms or 2s is expected: {text!r}")


def severity(text: str) -> int:
    """The least severity: a word.

    Raises:
        FilterInvalid: there is no such severity.
    """
    number = severities.number(text)
    if text and not number:
        problem = f"one of {', '.join(severities.NAMES)} is expected: {text!r}"
        raise FilterInvalid(field="severity", problem=problem)
    return number


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """Attributes as NAME=VALUE.

    Raises:
        FilterInvalid: one of them is not, or they are too many.
    """
    if len(texts) > ATTRIBUTES_MAX:
        problem = f"at most {ATTRIBUTES_MAX} can be given"
        raise FilterInvalid(field="attribute", problem=problem)
    found = {}
    for text in texts:
        name, equals, one = text.partition("=")
        if not name or not equals:
            problem = f"NAME=VALUE is expected: {text!r}"
            raise FilterInvalid(field="attribute", problem=problem)
        found[value("attribute", name)] = value("attribute", one)
    return found


def value(field: str, text: str) -> str:
    """A value that is compared.

    Raises:
        FilterInvalid: it is too long.
    """
    if len(text) > VALUE_MAX:
        raise FilterInvalid(field=field, problem=f"has more than {VALUE_MAX} characters")
    return text


def trace_id(text: str) -> str:
    """A trace id, in small letters.

    Raises:
        FilterInvalid: it is none.
    """
    found = text.lower()
    if found and not TRACE_ID.fullmatch(found):
        raise FilterInvalid(field="trace_id", problem="32 hexadecimal digits are expected")
    return found
