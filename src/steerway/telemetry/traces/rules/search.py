"""What can be asked about traces, and what comes back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from steerway.telemetry.traces.errors import TraceFilterInvalid

ROWS: Final = 50
ROWS_MAX: Final = 500
TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_CURSOR: Final = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{32})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFilter:
    """Which traces: those with a span that is all of this. `until` is exclusive."""

    since: datetime
    until: datetime
    service: str = ""
    environment: str = ""
    version: str = ""
    name: str = ""
    kind: str = ""
    status: str = ""
    min_duration: timedelta = timedelta(0)
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFound:
    """A trace in a list. `newest_at` is the start of its newest span that was asked for."""

    trace_id: str
    starts_at: datetime
    duration: timedelta
    service: str
    name: str
    services: tuple[str, ...]
    spans: int
    errors: int
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class TracePage:
    """Traces, newest first; `next` continues after the last one, empty at the end."""

    traces: tuple[TraceFound, ...]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Calls from one service to another; a database is a service that sends no spans.

    Counts are of all traces, from a `kept_ratio` of them when there were too many to join.
    """

    caller: str
    callee: str
    calls: int
    errors: int
    p95: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A service on the map, by the requests it answered. `kind` is service, database or queue."""

    name: str
    kind: str
    calls: int
    errors: int
    p95: timedelta


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """Who calls whom."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    kept_ratio: float


def written(at: datetime, trace_id: str) -> str:
    """The cursor behind a trace."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1):x}-{trace_id}"


def cursor(text: str) -> tuple[datetime, str] | None:
    """What `written` wrote; None for the first page.

    Raises:
        TraceFilterInvalid: it is not one of ours.
    """
    if not text:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise TraceFilterInvalid(field="after", problem="is not the `next` of an earlier page")
    try:
        return _EPOCH + timedelta(microseconds=int(found[1], 16)), found[2]
    except OverflowError as error:
        raise TraceFilterInvalid(field="after", problem="is no moment") from error
