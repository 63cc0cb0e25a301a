"""Coverage over HTTP."""

from datetime import timedelta
from typing import Annotated

from django.conf import settings
from ninja import Query, Router

from steerway.control.coverage import queries
from steerway.control.coverage.wire import GridOut
from steerway.planning.catalog import queries as catalog
from steerway.platform.web.request import SteerwayRequest
from steerway.telemetry import store

router = Router(tags=["telemetry"])


@router.get("", response=list[GridOut])
def all(
    request: SteerwayRequest,
    after: Annotated[str, Query(max_length=40)] = "",
    rows: Annotated[int, Query(ge=1, le=100)] = 50,
) -> list[GridOut]:
    """Which layers of each service are seen, by which signals; `after` goes on."""
    names = [one.name for one in catalog.all(after=after, rows=rows)]
    return _grids(request, names)


@router.get("/{service}", response=list[GridOut])
def show(request: SteerwayRequest, service: str) -> list[GridOut]:
    """Which layers of one service are seen, by which signals, in each environment."""
    return _grids(request, [catalog.get(service).name])


def _grids(request: SteerwayRequest, services: list[str]) -> list[GridOut]:
    silence = timedelta(seconds=settings.STEERWAY.silence_seconds)
    found = queries.grids(store.current(), services, now=request.work.now, silence=silence)
    return [GridOut.of(one) for one in found]
