"""Traces as JSON."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field, PlainSerializer

from steerway.telemetry.traces.rules.search import ServiceMap, TraceFound, TracePage
from steerway.telemetry.traces.rules.waterfall import Row, Waterfall

# To the microsecond: lines of one millisecond have an order.
Exact = Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str)]


class TraceOut(BaseModel):
    """A trace in a list."""

    trace_id: str
    at: Exact
    duration_ms: float
    service: str = Field(description="Of its first span, as is `name`.")
    name: str
    services: list[str]
    spans: int
    errors: int

    @classmethod
    def of(cls, one: TraceFound) -> "TraceOut":
        """Its fields."""
        return cls(
            trace_id=one.trace_id,
            at=one.starts_at,
            duration_ms=_ms(one.duration),
            service=one.service,
            name=one.name,
            services=list(one.services),
            spans=one.spans,
            errors=one.errors,
        )


class TracesOut(BaseModel):
    """Traces, newest first."""

    traces: list[TraceOut]
    next: str = Field(description="Give it as `after` for the older ones; empty at the end.")

    @classmethod
    def of(cls, page: TracePage) -> "TracesOut":
        """A page."""
        return cls(traces=[TraceOut.of(one) for one in page.traces], next=page.next)


class MomentOut(BaseModel):
    """Something that happened in a span."""

    at: Exact
    name: str
    attributes: dict[str, str]


class SpanOut(BaseModel):
    """A span in its place in the tree."""

    span_id: str
    parent_id: str
    depth: int
    offset_ms: float = Field(description="After the trace began.")
    duration_ms: float
    own_ms: float = Field(description="The part in which none of its children ran.")
    is_critical: bool = Field(description="The end of the trace waited for it.")
    service: str
    environment: str
    version: str
    instance: str
    name: str
    kind: str = Field(description="A kind of OpenTelemetry; `router`; `missing`: was never sent.")
    status: str
    status_message: str
    attributes: dict[str, str]
    events: list[MomentOut]

    @classmethod
    def of(cls, row: Row) -> "SpanOut":
        """Its fields."""
        span = row.span
        copied = (
            "span_id", "parent_id", "service", "environment", "version", "instance", "name",
            "kind", "status", "status_message",
        )  # fmt: skip
        return cls(
            depth=row.depth,
            offset_ms=_ms(row.offset),
            duration_ms=_ms(span.duration),
            own_ms=_ms(row.own),
            is_critical=row.is_critical,
            attributes=dict(span.attributes),
            events=[
                MomentOut(at=one.ts, name=one.name, attributes=dict(one.attributes))
                for one in span.events
            ],
            **{name: getattr(span, name) for name in copied},
        )


class WaterfallOut(BaseModel):
    """A trace from top to bottom."""

    trace_id: str
    at: Exact
    duration_ms: float
    services: list[str]
    errors: int
    missing: int = Field(description="Parents that spans name and nobody sent.")
    is_cut: bool = Field(description="It has more spans than are shown.")
    spans: list[SpanOut]

    @classmethod
    def of(cls, found: Waterfall) -> "WaterfallOut":
        """The whole."""
        return cls(
            trace_id=found.trace_id,
            at=found.starts_at,
            duration_ms=_ms(found.duration),
            services=list(found.services),
            errors=found.errors,
            missing=found.missing,
            is_cut=found.is_cut,
            spans=[SpanOut.of(row) for row in found.rows],
        )


class NodeOut(BaseModel):
    """A service on the map, by the requests it answered."""

    name: str
    kind: str
    calls: int
    errors: int
    p95_ms: float


class EdgeOut(BaseModel):
    """Calls from one service to another."""

    caller: str
    callee: str
    calls: int
    errors: int
    p95_ms: float


class MapOut(BaseModel):
    """Who calls whom."""

    kept_ratio: float = Field(description="Share of the traces that the counts are made from.")
    nodes: list[NodeOut]
    edges: list[EdgeOut]

    @classmethod
    def of(cls, found: ServiceMap) -> "MapOut":
        """The whole."""
        return cls(
            kept_ratio=found.kept_ratio,
            nodes=[
                NodeOut(
                    name=one.name, kind=one.kind, calls=one.calls, errors=one.errors,
                    p95_ms=_ms(one.p95),
                )
                for one in found.nodes
            ],
            edges=[
                EdgeOut(
                    caller=one.caller, callee=one.callee, calls=one.calls, errors=one.errors,
                    p95_ms=_ms(one.p95),
                )
                for one in found.edges
            ],
        )  # fmt: skip


def _ms(length: timedelta) -> float:
    return round(length / timedelta(milliseconds=1), 3)
