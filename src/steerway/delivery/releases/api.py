"""Releases over HTTP."""

from typing import Annotated

from ninja import Query, Router

from steerway.delivery.releases import queries
from steerway.delivery.releases.models import Release
from steerway.delivery.releases.wire import ReleaseOut
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["releases"])


@router.get("", response=list[ReleaseOut])
def history(
    request: SteerwayRequest,
    service: Annotated[str, Query(min_length=1, max_length=60)],
    rows: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[Release]:
    """Releases of a service, newest first, removed ones included."""
    return queries.history(service, limit=rows)
