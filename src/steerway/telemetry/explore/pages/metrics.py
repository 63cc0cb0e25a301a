"""Explore metrics: questions in PromQL, as a plot or a table. The answers come from the API."""

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render

from steerway.platform.web import ranges
from steerway.platform.web.charts import Chart, Query
from steerway.platform.web.request import SteerwayRequest

QUERIES_MAX: Final = 6
QUERY_LENGTH_MAX: Final = 4_000
HEIGHT: Final = 320
KINDS: Final = {"line": "Lines", "area": "Areas", "stack": "Stacked", "bar": "Bars"}


def metrics(request: SteerwayRequest) -> HttpResponse:
    """An editor for each question of the address, and one chart of all answers."""
    request.work.allow("records.read")
    asked = [one[:QUERY_LENGTH_MAX] for one in request.GET.getlist("q")[:QUERIES_MAX]]
    questions = [one for one in asked if one.strip()]
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else "line"
    chart = Chart("Answer", tuple(Query(one) for one in questions), kind, height=HEIGHT)
    table = Chart("Newest values", chart.queries, "table")
    return render(
        request,
        "explore/metrics.html",
        {
            "mode": "metrics",
            "range": ranges.of(request.GET, request.work.now),
            "questions": asked or [""],
            "more": len(asked) < QUERIES_MAX,
            "kind": kind,
            "kinds": list(KINDS.items()),
            "is_table": request.GET.get("view") == "table",
            "chart": chart if questions else None,
            "table": table if questions else None,
        },
    )
