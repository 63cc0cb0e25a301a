"""Lines of programs: when, how serious, of which trace, and what they say.

Plain text and JSON, told apart line by line: a program prints both.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from steerway.telemetry.logs.rules import severity as severities

ATTRIBUTES_MAX: Final = 64
VALUE_MAX: Final = 4000  # characters of one attribute
# A moment that a line names is believed within these bounds of the moment it was read.
BEHIND_MAX: Final = timedelta(days=14)  # a server may have been away for long
AHEAD_MAX: Final = timedelta(seconds=2)

MOMENT_KEYS: Final = ("timestamp", "time", "@timestamp", "ts", "at", "date")
LEVEL_KEYS: Final = ("level", "severity", "levelname", "lvl", "log.level", "severity_text")
BODY_KEYS: Final = ("message", "msg", "event", "body", "text", "log")
TRACE_KEYS: Final = (
    "trace_id",
    "traceId",
    "traceID",
    "trace.id",
    "otelTraceID",
    "dd.trace_id",
    "trace",
)
SPAN_KEYS: Final = ("span_id", "spanId", "spanID", "span.id", "otelSpanID", "dd.span_id", "span")
STACK_KEYS: Final = ("exc_info", "exception", "stack_trace", "stacktrace", "stack", "traceback")

_HEAD: Final = 200  # characters in which a plain line says when and how serious
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d|UTC)?"
)
_LEVEL: Final = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|CRITICAL|FATAL|PANIC)\b"
    r"|\blevel=\"?(\w+)|^(?:\[?)([DIWEF])(?:\d{4}\s|,\s\[)"
    r"|^(trace|debug|info|warn|warning|error|fatal)\b[:\s]|[\[<](trace|debug|info|notice|warn"
    r"|warning|error|crit|fatal)[\]>:]"
)
_LETTERS: Final = {"D": 5, "I": 9, "W": 13, "E": 17, "F": 21}
_TRACE: Final = re.compile(
    r"\b(?:trace[_.-]?id|otelTraceID|traceparent)[\"']?\s?[=:]\s?[\"']?(?:00-)?([0-9a-f]{32})\b"
    r"(?:-([0-9a-f]{16})\b)?",
    re.IGNORECASE,
)
_SPAN: Final = re.compile(r"\bspan[_.-]?id[\"']?\s?[=:]\s?[\"']?([0-9a-f]{16})\b", re.IGNORECASE)
_TRACEBACK: Final = re.compile(
    r"^(?:Traceback \(most recent call last\)|panic: |Exception in thread|fatal error: )",
    re.MULTILINE,
)
_HEX: Final = re.compile(r"[0-9a-f]+")
_NO_ID: Final = re.compile(r"0*")


@dataclass(slots=True)
class Parsed:
    """What a line says of itself. `at` is None when it names no moment."""

    body: str
    at: datetime | None = None
    severity: int = 0
    trace_id: str = ""
    span_id: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> Parsed:
    """A line, or a message of several lines, understood as far as it can be."""
    if text.startswith("{") and text.rstrip().endswith("}"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return plain(text)
        return structured(found, text)
    return plain(text)


def plain(text: str) -> Parsed:
    """A line of plain text."""
    head = text[:_HEAD]
    moment = _MOMENT.search(head)
    found = Parsed(text, _moment(*moment.groups()) if moment else None, _level(head))
    if not found.severity and _TRACEBACK.search(text):
        found.severity = severities.NUMBERS["error"]
    lowered = text if len(text) < VALUE_MAX else text[:VALUE_MAX]
    if "race" in lowered and (trace := _TRACE.search(lowered)):
        found.trace_id, span = trace[1].lower(), trace[2]
        named = _SPAN.search(lowered)
        found.span_id = (span or (named[1] if named else "")).lower()
    return found


def structured(given: Mapping[str, Any], text: str) -> Parsed:
    """A line that is a JSON object; what is not known by its name becomes an attribute."""
    left = dict(given)
    at = next((m for key in MOMENT_KEYS if (m := moment_of(left.get(key)))), None)
    level = next((left[key] for key in LEVEL_KEYS if key in left), "")
    message = _taken(left, BODY_KEYS, str)
    trace, span = _id(left, TRACE_KEYS, 32), _id(left, SPAN_KEYS, 16)
    stack = _taken(left, STACK_KEYS, str)
    body = "\n".join(part for part in (message, stack) if part)
    for key in (*MOMENT_KEYS, *LEVEL_KEYS):
        if key in left and not isinstance(left[key], dict | list):
            del left[key]
    attributes = flat(left)
    return Parsed(body or text, at, severities.number(level), trace, span, attributes)


def flat(given: Mapping[str, Any]) -> dict[str, str]:
    """Attributes from JSON: one level of objects by dotted names, deeper ones as JSON."""
    found: dict[str, str] = {}
    for key, value in given.items():
        inner = value if isinstance(value, dict) else {"": value}
        for name, one in inner.items():
            if len(found) >= ATTRIBUTES_MAX:
                return found
            found[f"{key}.{name}" if name else key] = _text(one)
    return found


def moment_of(value: object) -> datetime | None:
    """A moment from text, or from seconds, milli-, micro- or nanoseconds since 1970."""
    if isinstance(value, str):
        found = _MOMENT.match(value)
        return _moment(*found.groups()) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    for unit in (1, 10**3, 10**6, 10**9):
        if 10**9 <= value / unit < 10**10:  # 2001 to 2286
            return datetime.fromtimestamp(value / unit, UTC)
    return None


def believed(at: datetime | None, read_at: datetime) -> datetime:
    """The moment of a line: its own, unless that cannot be."""
    if at is None or not read_at - BEHIND_MAX <= at <= read_at + AHEAD_MAX:
        return read_at
    return at


def _moment(day: str, clock: str, fraction: str | None, zone: str | None) -> datetime | None:
    """Without a zone it is taken for UTC, as servers are set up."""
    offset = "+00:00" if zone in {None, "Z", "UTC"} else zone
    micros = (fraction or "0")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{micros}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _level(head: str) -> int:
    found = _LEVEL.search(head)
    if found is None:
        return severities.UNKNOWN
    if letter := found[3]:
        return _LETTERS[letter]
    return severities.number(found[1] or found[2] or found[4] or found[5])


def _taken(left: dict[str, Any], keys: tuple[str, ...], kind: type) -> str:
    """The first of these that is there and of this kind, taken out."""
    for key in keys:
        if isinstance(left.get(key), kind):
            return str(left.pop(key))
    return ""


def _id(left: dict[str, Any], keys: tuple[str, ...], length: int) -> str:
    for key in keys:
        value = left.get(key)
        if isinstance(value, str) and len(value) == length and _HEX.fullmatch(value.lower()):
            del left[key]
            return "" if _NO_ID.fullmatch(value) else value.lower()
    return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
