"""What replicas print, over HTTP."""

from typing import Annotated

from django.conf import settings
from ninja import Query, Router

from steerway.delivery.runtimes import queries
from steerway.delivery.runtimes.errors import PrintedElsewhere
from steerway.delivery.runtimes.wire import LogsOut, PrintedOut
from steerway.planning.catalog import queries as catalog
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["services"])


@router.get("/{service}/logs", response=LogsOut)
def logs(
    request: SteerwayRequest,
    service: str,
    environment: Annotated[str, Query(max_length=60)] = "",
    size_bytes: Annotated[int, Query(ge=1, le=queries.PRINTED_BYTES_MAX)] = 8000,
    after: Annotated[list[str], Query(max_length=200)] = [],  # noqa: B006 -- read only
) -> LogsOut:
    """The end of what each replica printed, or what came `after` positions as PROGRAM:POSITION."""
    found_on = catalog.get(service).node
    if found_on != settings.STEERWAY_NODE:
        raise PrintedElsewhere(service=service, node=found_on)
    seen = {
        program: int(position)
        for program, _, position in (one.rpartition(":") for one in after)
        if position.isdecimal()
    }
    found = []
    live = queries.live(service, environment)
    each = queries.share_bytes(size_bytes, len(live))
    for replica in live:
        printed = queries.printed(
            settings.STEERWAY.log, replica, after=seen.get(replica.program), size_bytes=each
        )
        found.append(
            PrintedOut(
                program=replica.program,
                environment=replica.environment,
                lines=printed.text.splitlines(),
                position=printed.position,
            )
        )
    return LogsOut(replicas=found)
