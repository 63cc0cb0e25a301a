"""Markers over HTTP."""

from datetime import datetime
from typing import Annotated

from ninja import Query, Router

from steerway.control.signals import queries
from steerway.control.signals.wire import MarkerOut, MarkersOut
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["services"])
Name = Annotated[str, Query(max_length=60)]


@router.get("", response=MarkersOut)
def markers(
    request: SteerwayRequest,
    from_: Annotated[datetime, Query(alias="from")],
    until: datetime,
    service: Name = "",
    environment: Name = "",
) -> MarkersOut:
    """The moments at which deployments took over, for charts; newest first, at most sixty."""
    found = queries.markers(start=from_, end=until, service=service, environment=environment)
    return MarkersOut(markers=[MarkerOut.model_validate(one) for one in found])
