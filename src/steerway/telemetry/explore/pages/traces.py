"""Explore traces: a search, one trace as a waterfall, and the map of who calls whom."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render

from steerway.platform.web import ranges
from steerway.platform.web.parts import part
from steerway.platform.web.request import SteerwayRequest
from steerway.telemetry import store
from steerway.telemetry.explore.pages import asking
from steerway.telemetry.explore.rules import mapping
from steerway.telemetry.traces import queries
from steerway.telemetry.traces.rules.waterfall import MISSING, ROUTER, Row, Waterfall

NARROWED: Final = ("service", "environment", "version", "name")
CURSOR_MAX: Final = 60
MARGIN: Final = timedelta(minutes=1)
COLOURS: Final = 8
NARROWEST: Final = 0.25  # percent: a span of a millionth of its trace is still seen
RIGHT_FROM: Final = 70  # percent: from here on, the time of a bar stands before it


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of a waterfall where it stands, in percent of the whole trace."""

    row: Row
    x: float
    width: float
    words_x: float
    is_before: bool
    indent: int
    tone: str


def traces(request: SteerwayRequest) -> HttpResponse:
    """The page; the list is fetched by itself."""
    request.work.allow("records.read")
    return render(
        request,
        "explore/traces.html",
        {
            "mode": "traces",
            "range": ranges.of(request.GET, request.work.now),
            "asked": request.GET,
            "chips": asking.chips(request.GET, ()),
            "attributes": request.GET.getlist("attr"),
            "part_query": asking.bare(request.GET),
        },
    )


@part
def found(request: SteerwayRequest) -> HttpResponse:
    """The newest traces that match."""
    range_ = ranges.of(request.GET, request.work.now)
    after = request.GET.get("after", "")[:CURSOR_MAX]
    page = queries.search(store.current(), asking.traces(request.GET, range_), after=after)
    longest = max((one.duration for one in page.traces), default=timedelta(seconds=1))
    rows = [(one, _percent(one.duration, longest)) for one in page.traces]
    query = request.GET.copy()
    query.pop("after", None)
    context = {"rows": rows, "next": page.next, "more_query": query.urlencode()}
    return render(request, "explore/found.html", context)


def trace(request: SteerwayRequest, trace_id: str) -> HttpResponse:
    """One trace as a waterfall.

    Raises:
        TraceUnknown: no span of it is stored.
        StoreDown: the store does not answer.
    """
    request.work.allow("records.read")
    fall = queries.trace(store.current(), trace_id[:64])
    start, end = fall.starts_at - MARGIN, fall.starts_at + fall.duration + MARGIN
    around = f"from={start:%Y-%m-%dT%H:%M:%S}Z&until={end:%Y-%m-%dT%H:%M:%S}Z"
    return render(
        request,
        "explore/trace.html",
        {
            "trace": fall,
            "bars": bars(fall),
            "around": around,
            "colours": [(name, _colour(fall, name)) for name in fall.services],
        },
    )


def bars(fall: Waterfall) -> list[Bar]:
    """Each span in its place."""
    whole = fall.duration or timedelta(microseconds=1)
    found_ = []
    for row in fall.rows:
        x = _percent(row.offset, whole)
        width = max(NARROWEST, _percent(row.span.duration, whole))
        is_before = x + width > RIGHT_FROM
        words_x = x if is_before else x + width
        tone = _tone(fall, row)
        found_.append(Bar(row, x, width, words_x, is_before, min(row.depth, 12), tone))
    return found_


def _tone(fall: Waterfall, row: Row) -> str:
    if row.span.status == "error":
        return "bad"
    if row.span.kind in {MISSING, ROUTER}:
        return row.span.kind
    return _colour(fall, row.span.service)


def _colour(fall: Waterfall, service: str) -> str:
    return f"s{fall.services.index(service) % COLOURS + 1}" if service in fall.services else "none"


def _percent(part_: timedelta, whole: timedelta) -> float:
    return round(part_ / whole * 100, 3) if whole else 0.0


def service_map(request: SteerwayRequest) -> HttpResponse:
    """The page of the map; the picture is fetched by itself."""
    request.work.allow("records.read")
    return render(
        request,
        "explore/map.html",
        {
            "mode": "map",
            "range": ranges.of(request.GET, request.work.now),
            "asked": request.GET,
            "part_query": asking.bare(request.GET),
        },
    )


@part
def picture(request: SteerwayRequest) -> HttpResponse:
    """Who calls whom, as a picture and as a table."""
    range_ = ranges.of(request.GET, request.work.now)
    answer = queries.service_map(
        store.current(),
        since=range_.start,
        until=range_.end,
        environment=request.GET.get("environment", "")[: asking.FIELD_MAX],
    )
    seconds = range_.span.total_seconds()
    context = {"map": mapping.picture(answer), "kept_ratio": answer.kept_ratio, "seconds": seconds}
    return render(request, "explore/picture.html", context | {"range": range_})
