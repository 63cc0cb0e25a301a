"""The spans of a trace as a tree, with what is missing in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

ROUTER: Final = "router"
MISSING: Final = "missing"
# Clocks of one host agree; a request is in the router before and after it is in the service.
SLACK: Final = timedelta(milliseconds=5)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that a span says happened in it."""

    ts: datetime
    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One piece of work.

    `kind` is `router` for a line of the access log, `missing` for a parent that others name and
    nobody sent.
    """

    span_id: str
    parent_id: str
    ts: datetime
    duration: timedelta
    service: str = ""
    environment: str = ""
    version: str = ""
    instance: str = ""
    name: str = ""
    kind: str = "internal"
    status: str = "unset"
    status_message: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Moment, ...] = ()

    @property
    def ends_at(self) -> datetime:
        """When it was done."""
        return self.ts + self.duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A span in its place: `depth` levels in, `offset` after the trace began.

    `is_critical`: while it ran by itself, the whole trace waited for it. `own` is that part of
    its time in which none of its children ran.
    """

    span: Span
    depth: int
    offset: timedelta
    own: timedelta
    children: int
    is_critical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """A trace from top to bottom. `is_cut`: it has more spans than are shown."""

    trace_id: str
    starts_at: datetime
    duration: timedelta
    rows: tuple[Row, ...]
    services: tuple[str, ...]
    errors: int
    missing: int
    is_cut: bool


def waterfall(
    trace_id: str, spans: Sequence[Span], *, routed: Sequence[Span] = (), is_cut: bool = False
) -> Waterfall:
    """The tree of a trace, of which there is at least one span."""
    known = list({span.span_id: span for span in spans}.values())
    for one in routed:
        known = _with_router(known, one)
    whole = known + _missing(known)
    children = _children(whole)
    starts_at = min(span.ts for span in whole)
    roots = sorted(children.pop("", []), key=_order)
    critical = {id_ for root in roots for id_ in _critical(root, children)}
    rows = [row for root in roots for row in _rows(root, children, starts_at, critical)]
    return Waterfall(
        trace_id=trace_id,
        starts_at=starts_at,
        duration=max(span.ends_at for span in whole) - starts_at,
        rows=tuple(rows),
        services=tuple(dict.fromkeys(row.span.service for row in rows if row.span.service)),
        errors=sum(row.span.status == "error" for row in rows),
        missing=sum(row.span.kind == MISSING for row in rows),
        is_cut=is_cut,
    )


def _with_router(spans: list[Span], routed: Span) -> list[Span]:
    """The router's part, put between the service's first span and its caller."""
    inner = [
        span
        for span in spans
        if span.service == routed.service
        and span.kind == "server"
        and span.ts >= routed.ts - SLACK
        and span.ends_at <= routed.ends_at + SLACK
    ]
    if not inner:
        return [*spans, routed]
    first = min(inner, key=_order)
    parent = replace(routed, parent_id=first.parent_id)
    moved = replace(first, parent_id=routed.span_id)
    return [parent, *(moved if span is first else span for span in spans)]


def _missing(spans: list[Span]) -> list[Span]:
    """A stand-in for each parent that was named and not sent; it covers its children."""
    known = {span.span_id for span in spans}
    orphans: dict[str, list[Span]] = {}
    for span in spans:
        if span.parent_id and span.parent_id not in known:
            orphans.setdefault(span.parent_id, []).append(span)
    return [_stand_in(parent, those) for parent, those in orphans.items()]


def _stand_in(span_id: str, children: list[Span]) -> Span:
    ts = min(span.ts for span in children)
    duration = max(span.ends_at for span in children) - ts
    return Span(span_id=span_id, parent_id="", ts=ts, duration=duration, kind=MISSING)


def _children(spans: Iterable[Span]) -> dict[str, list[Span]]:
    """Spans by their parent; who is its own ancestor becomes a root, so that all are shown."""
    parents = {span.span_id: span.parent_id for span in spans}
    settled: set[str] = set()
    for span_id in parents:
        path: list[str] = []
        at = span_id
        while at and at not in settled and at not in path:
            path.append(at)
            at = parents.get(at, "")
        if at in path:
            parents[at] = ""
        settled.update(path)
    found: dict[str, list[Span]] = {}
    for span in spans:
        found.setdefault(parents[span.span_id], []).append(span)
    return found


def _rows(
    root: Span, children: Mapping[str, list[Span]], starts_at: datetime, critical: set[str]
) -> list[Row]:
    """Depth first, in the order of time; a loop, because traces may be deeper than the stack."""
    rows = []
    waiting = [(root, 0)]
    while waiting:
        span, depth = waiting.pop()
        inner = sorted(children.get(span.span_id, ()), key=_order)
        rows.append(
            Row(
                span=span,
                depth=depth,
                offset=span.ts - starts_at,
                own=_own(span, inner),
                children=len(inner),
                is_critical=span.span_id in critical,
            )
        )
        waiting += [(child, depth + 1) for child in reversed(inner)]
    return rows


def _own(span: Span, children: Sequence[Span]) -> timedelta:
    """The time of a span that none of its children covers."""
    covered = timedelta(0)
    until = span.ts
    for child in children:  # by their start
        begin, end = max(child.ts, until), min(child.ends_at, span.ends_at)
        if end > begin:
            covered += end - begin
            until = end
    return span.duration - covered


def _critical(root: Span, children: Mapping[str, list[Span]]) -> set[str]:
    """The spans that the end of the root waited for, backwards from its end.

    Of each span, the child that ended last is on the path, then the one that ended last before
    that one began, and so on.
    """
    found = set()
    waiting = [root]
    while waiting:
        span = waiting.pop()
        found.add(span.span_id)
        at = span.ends_at
        for child in sorted(children.get(span.span_id, ()), key=lambda c: c.ends_at, reverse=True):
            if child.ends_at <= at:
                waiting.append(child)
                at = child.ts
    return found


def _order(span: Span) -> tuple[datetime, timedelta, str]:
    """By start; of two that start together, the longer one first."""
    return span.ts, -span.duration, span.span_id
