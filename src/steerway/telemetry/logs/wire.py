"""Lines as JSON."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, PlainSerializer

from steerway.telemetry.logs.rules.search import Facet, Histogram, Line, Page

# To the microsecond: lines of one millisecond have an order.
Exact = Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str)]


class LineOut(BaseModel):
    """One line, or one message of several lines."""

    at: Exact
    service: str
    environment: str
    version: str
    instance: str = Field(description="The replica that printed it, or what sent it.")
    source: str = Field(description="process, otlp, router, steerway or database.")
    level: str = Field(description="trace, debug, info, warn, error, fatal; empty if unknown.")
    text: str
    attributes: dict[str, str]
    trace_id: str
    span_id: str

    @classmethod
    def of(cls, line: Line) -> "LineOut":
        """Its fields."""
        return cls(
            at=line.ts,
            service=line.service,
            environment=line.environment,
            version=line.version,
            instance=line.instance,
            source=line.source,
            level=line.level,
            text=line.body,
            attributes=dict(line.attributes),
            trace_id=line.trace_id,
            span_id=line.span_id,
        )


class LinesOut(BaseModel):
    """Lines, newest first."""

    lines: list[LineOut]
    next: str = Field(description="Give it as `after` for the older ones; empty at the end.")

    @classmethod
    def of(cls, page: Page) -> "LinesOut":
        """A page."""
        return cls(lines=[LineOut.of(line) for line in page.lines], next=page.next)


class BarOut(BaseModel):
    """The lines of one step of time, by level."""

    at: Exact
    counts: dict[str, int]


class HistogramOut(BaseModel):
    """How many lines when. A step without lines is left out."""

    step_seconds: int
    total: int
    bars: list[BarOut]

    @classmethod
    def of(cls, found: Histogram) -> "HistogramOut":
        """The whole."""
        return cls(
            step_seconds=int(found.step.total_seconds()),
            total=found.total,
            bars=[BarOut(at=bar.starts_at, counts=dict(bar.counts)) for bar in found.bars],
        )


class FacetValueOut(BaseModel):
    """A value, and how many lines have it."""

    value: str
    lines: int


class FacetOut(BaseModel):
    """The values of a field, most first."""

    name: str = Field(description="A field, or attributes.NAME.")
    values: list[FacetValueOut]

    @classmethod
    def of(cls, facet: Facet) -> "FacetOut":
        """The whole."""
        values = [FacetValueOut(value=value, lines=lines) for value, lines in facet.values]
        return cls(name=facet.name, values=values)


def line(found: Line) -> dict[str, Any]:
    """A line as the live stream and `--json` write it."""
    return LineOut.of(found).model_dump(mode="json")
