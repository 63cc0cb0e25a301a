"""Lines over HTTP."""

from typing import Annotated

from ninja import Query, Router, Schema

from steerway.platform.web.request import SteerwayRequest
from steerway.telemetry import store
from steerway.telemetry.logs import queries
from steerway.telemetry.logs.rules import asking
from steerway.telemetry.logs.rules.search import ROWS, ROWS_MAX, Filter
from steerway.telemetry.logs.wire import FacetOut, HistogramOut, LinesOut

router = Router(tags=["telemetry"])


class AskedLines(Schema):
    """Which lines. A moment is ISO 8601, or an age as 15m or 2h; without, the last hour."""

    since: str = ""
    until: str = ""
    service: str = ""
    environment: str = ""
    version: str = ""
    instance: str = ""
    source: str = ""
    severity: str = ""
    text: str = ""
    match_case: bool = False
    trace_id: str = ""


ATTRIBUTE = Annotated[list[str], Query(max_length=10)]


@router.get("", response=LinesOut)
def search(
    request: SteerwayRequest,
    asked: Query[AskedLines],
    attribute: ATTRIBUTE = [],  # noqa: B006 -- read only
    after: Annotated[str, Query(max_length=60)] = "",
    rows: Annotated[int, Query(ge=1, le=ROWS_MAX)] = ROWS,
) -> LinesOut:
    """The newest lines that match; `text` is words and "phrases", `attribute` is NAME=VALUE."""
    found = queries.search(
        store.current(), _filter(request, asked, attribute), after=after, rows=rows
    )
    return LinesOut.of(found)


@router.get("/histogram", response=HistogramOut)
def histogram(
    request: SteerwayRequest,
    asked: Query[AskedLines],
    attribute: ATTRIBUTE = [],  # noqa: B006 -- read only
) -> HistogramOut:
    """How many lines match, over time and by level."""
    found = queries.histogram(store.current(), _filter(request, asked, attribute))
    return HistogramOut.of(found)


@router.get("/facets", response=list[FacetOut])
def facets(
    request: SteerwayRequest,
    asked: Query[AskedLines],
    attribute: ATTRIBUTE = [],  # noqa: B006 -- read only
) -> list[FacetOut]:
    """The values of each field among the lines that match, and of attributes of the newest."""
    found = queries.facets(store.current(), _filter(request, asked, attribute))
    return [FacetOut.of(one) for one in found]


@router.get("/around", response=LinesOut)
def around(
    request: SteerwayRequest,
    service: Annotated[str, Query(max_length=100)],
    instance: Annotated[str, Query(max_length=200)],
    at: Annotated[str, Query(max_length=60)],
    rows: Annotated[int, Query(ge=1, le=100)] = 20,
) -> LinesOut:
    """The lines of one replica before and after a moment, newest first."""
    moment = asking.moment("at", at, now=request.work.now, default=request.work.now)
    found = queries.around(store.current(), moment, service=service, instance=instance, rows=rows)
    return LinesOut.of(found)


def _filter(request: SteerwayRequest, asked: AskedLines, attribute: list[str]) -> Filter:
    given = {name: str(value) for name, value in asked.dict().items()}
    given["match_case"] = given["match_case"].lower()
    return asking.asked(given, attribute, now=request.work.now)
