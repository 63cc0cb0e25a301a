"""What runs now, over HTTP."""

from typing import Annotated

from django.conf import settings
from ninja import Query, Router

from steerway import __version__
from steerway.control.bridge import queries
from steerway.control.bridge.wire import ReadyOut, StatusOut
from steerway.control.installation import queries as installation
from steerway.control.services import queries as services
from steerway.planning.changes import queries as changes
from steerway.platform.web.request import SteerwayRequest

status = Router(tags=["status"])
ready = Router(tags=["status"])


@ready.get("", response=ReadyOut)
def is_ready(request: SteerwayRequest) -> ReadyOut:
    """Whether the server answers; it does when you read this."""
    return ReadyOut(ready=True, version=__version__)


@status.get("", response=StatusOut)
def show(
    request: SteerwayRequest,
    service: Annotated[str, Query(max_length=60)] = "",
    after: Annotated[str, Query(max_length=60)] = "",
    rows: Annotated[int, Query(ge=1, le=100)] = 100,
) -> StatusOut:
    """What needs somebody, and what runs: one service, or all by name; `after` goes on."""
    port = settings.STEERWAY.router_port
    found = (
        [services.overview(service, router_port=port)]
        if service
        else services.overviews(after=after, rows=rows, router_port=port)
    )
    troubled = services.troubled(rows=queries.NEEDS_MAX, router_port=port)
    needs = queries.needs(troubled, installation.parts(settings.STEERWAY))
    return StatusOut.of(settings.STEERWAY.public_url, changes.freeze(), needs, found)
