"""Traces over HTTP."""

from datetime import datetime, timedelta
from typing import Annotated

from ninja import Query, Router, Schema

from steerway.platform.web.request import SteerwayRequest
from steerway.telemetry import store
from steerway.telemetry.logs.rules import asking
from steerway.telemetry.traces import queries
from steerway.telemetry.traces.errors import TraceFilterInvalid
from steerway.telemetry.traces.rules.search import ROWS, ROWS_MAX, TraceFilter
from steerway.telemetry.traces.wire import MapOut, TracesOut, WaterfallOut

router = Router(tags=["telemetry"])

HOUR = timedelta(hours=1)


class AskedTraces(Schema):
    """Traces with a span that is all of this. A moment is ISO 8601, or an age as 15m or 2h."""

    since: str = ""
    until: str = ""
    service: str = ""
    environment: str = ""
    version: str = ""
    name: str = ""
    kind: str = ""
    status: str = ""
    min_duration: str = ""


@router.get("", response=TracesOut)
def search(
    request: SteerwayRequest,
    asked: Query[AskedTraces],
    attribute: Annotated[list[str], Query(max_length=10)] = [],  # noqa: B006 -- read only
    after: Annotated[str, Query(max_length=60)] = "",
    rows: Annotated[int, Query(ge=1, le=ROWS_MAX)] = ROWS,
) -> TracesOut:
    """The newest traces that match; `min_duration` as 250ms, `attribute` is NAME=VALUE."""
    since, until = _span(request, asked.since, asked.until)
    fields = ("service", "environment", "version", "name", "kind", "status")
    wanted = TraceFilter(
        since=since,
        until=until,
        min_duration=asking.duration("min_duration", asked.min_duration),
        attributes=asking.pairs(attribute),
        **{name: asking.value(name, getattr(asked, name)) for name in fields},
    )
    return TracesOut.of(queries.search(store.current(), wanted, after=after, rows=rows))


@router.get("/map", response=MapOut)
def service_map(
    request: SteerwayRequest,
    since: Annotated[str, Query(max_length=60)] = "",
    until: Annotated[str, Query(max_length=60)] = "",
    environment: Annotated[str, Query(max_length=100)] = "",
) -> MapOut:
    """Who called whom, how often, how often in vain, and how long the slow ones took."""
    first, last = _span(request, since, until)
    found = queries.service_map(store.current(), since=first, until=last, environment=environment)
    return MapOut.of(found)


@router.get("/{trace_id}", response=WaterfallOut)
def trace(request: SteerwayRequest, trace_id: str) -> WaterfallOut:
    """A trace as a tree, with the router's part where the access log knows it."""
    return WaterfallOut.of(queries.trace(store.current(), asking.trace_id(trace_id)))


def _span(request: SteerwayRequest, since: str, until: str) -> tuple[datetime, datetime]:
    now = request.work.now
    last = asking.moment("until", until, now=now, default=now)
    first = asking.moment("since", since, now=now, default=last - HOUR)
    if first >= last:
        raise TraceFilterInvalid(field="since", problem="is not before `until`")
    return first, last
