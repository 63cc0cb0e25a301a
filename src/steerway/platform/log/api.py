"""The log over HTTP."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Final

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router

from steerway.platform import clock
from steerway.platform.log import queries
from steerway.platform.log.models import Event
from steerway.platform.log.queries import Filter, Verdict
from steerway.platform.log.wire import EventOut, VerdictOut
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["log"])

LINES_A_PIECE: Final = 200

Text = Annotated[str, Query(max_length=200)]


@router.get("", response=list[EventOut])
def newest(
    request: HttpRequest,
    service: Text = "",
    subject: Text = "",
    type: Text = "",
    actor: Text = "",
    since: Text = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    rows: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[EventOut]:
    """Entries that match, newest first; `before` continues from the last one seen."""
    wanted = _filter(service=service, subject=subject, type=type, actor=actor, since=since)
    return [EventOut.of(event) for event in queries.newest(wanted, before=before, rows=rows)]


@router.get("/verification", response=VerdictOut)
def verify(request: HttpRequest) -> Verdict:
    """Read the whole chain and say whether it is as it was written."""
    return queries.verify()


@router.get("/export")
def export(request: SteerwayRequest, service: Text = "", since: Text = "") -> StreamingHttpResponse:
    """Every entry, oldest first, as JSON Lines of CloudEvents."""
    request.work.allow("log.export", on=service)  # no action: it only reads
    wanted = _filter(service=service, since=since)
    return StreamingHttpResponse(_lines(wanted), content_type="application/cloudevents+jsonl")


def _lines(wanted: Filter) -> Iterator[str]:
    """Many lines at once: each piece of an answer costs a change of threads."""
    events = queries.every(wanted)
    while piece := [_line(event) for event in islice(events, LINES_A_PIECE)]:
        yield "".join(piece)


def _line(event: Event) -> str:
    return json.dumps(queries.cloudevent(event), separators=(",", ":")) + "\n"


def _filter(since: str = "", **fields: Any) -> Filter:
    moment = queries.parse_moment(since, clock.now()) if since else None
    return Filter(since=moment, **fields)
