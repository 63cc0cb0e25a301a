"""Explore logs: a search, how many lines when, the lines themselves, and what narrows them."""

from datetime import timedelta
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render

from steerway.platform.web import ranges
from steerway.platform.web.parts import part
from steerway.platform.web.request import SteerwayRequest
from steerway.telemetry import store
from steerway.telemetry.explore import queries
from steerway.telemetry.explore.pages import asking
from steerway.telemetry.explore.rules import bars
from steerway.telemetry.logs.rules.search import Filter, Line

ROWS: Final = 100
NARROWED: Final = ("service", "environment", "version", "instance", "source", "level", "trace")
MARGIN: Final = timedelta(minutes=5)  # of a trace, around a line of it
CURSOR_MAX: Final = 80
SHORT: Final = 5  # characters of a number of rows


def logs(request: SteerwayRequest) -> HttpResponse:
    """The page; its parts are fetched by themselves."""
    request.work.allow("records.read")
    return render(
        request,
        "explore/logs.html",
        {
            "mode": "logs",
            "range": ranges.of(request.GET, request.work.now),
            "asked": request.GET,
            "levels": asking.LEVELS,
            "chips": asking.chips(request.GET, NARROWED),
            "attributes": request.GET.getlist("attr"),
            "part_query": asking.bare(request.GET),
            "is_tail": request.GET.get("tail") == "1",
        },
    )


@part
def histogram(request: SteerwayRequest) -> HttpResponse:
    """How many lines when."""
    asked = _asked(request)
    found = queries.histogram(store.current(), asked)
    shown = bars.bars(found, since=asked.since, until=asked.until)
    context = {"bars": shown, "total": found.total, "step": found.step, "asked": asked}
    return render(request, "explore/histogram.html", context | {"query": _rest(request)})


@part
def lines(request: SteerwayRequest) -> HttpResponse:
    """The newest lines, or those of a later page."""
    after = request.GET.get("after", "")[:CURSOR_MAX]
    rows = request.GET.get("rows", "")
    most = min(ROWS, int(rows)) if rows.isdecimal() and len(rows) < SHORT else ROWS
    found = queries.page(store.current(), _asked(request), after=after, rows=most)
    context = {"rows": [_row(request, line) for line in found.lines], "next": found.next}
    return render(request, "explore/lines.html", context | {"more_query": _more(request)})


@part
def choices(request: SteerwayRequest) -> HttpResponse:
    """What the search could be narrowed by."""
    words = {"level": "level", **{name: name for name in asking.LINE_FIELDS}}
    found = queries.choices(store.current(), _asked(request), words)
    facets = [
        (
            one.name,
            [(value, count, _narrowed(request, one.name, value)) for value, count in one.values],
        )
        for one in found
    ]
    return render(request, "explore/choices.html", {"facets": facets})


def _asked(request: SteerwayRequest) -> Filter:
    return asking.lines(request.GET, ranges.of(request.GET, request.work.now))


def _row(request: SteerwayRequest, line: Line) -> dict[str, Any]:
    span = f"from={line.ts - MARGIN:%Y-%m-%dT%H:%M:%S}Z&until={line.ts + MARGIN:%Y-%m-%dT%H:%M:%S}Z"
    return {
        "line": line,
        "tone": bars.TONES[line.level],
        "span": span,
        "few": bars.few(line.attributes),
        "fields": [
            (words, value)
            for words, value in (
                ("Service", line.service),
                ("Environment", line.environment),
                ("Version", line.version),
                ("Replica", line.instance),
                ("Source", line.source),
            )
            if value
        ],
        "attributes": [
            (name, value, asking.also(request.GET, "attr", f"{name}={value}"))
            for name, value in line.attributes.items()
        ],
    }


def _narrowed(request: SteerwayRequest, name: str, value: str) -> str:
    if name in {*asking.LINE_FIELDS, "level"}:
        return asking.also(request.GET, name, value)
    return asking.also(request.GET, "attr", f"{name}={value}")


def _rest(request: SteerwayRequest) -> str:
    return asking.bare(request.GET)


def _more(request: SteerwayRequest) -> str:
    """The same search, for the lines that come after those shown."""
    left = request.GET.copy()
    left.pop("after", None)
    return left.urlencode()
