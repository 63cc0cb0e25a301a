"""Changes, holds and the freeze over HTTP."""

from typing import Annotated

from ninja import Query, Router, Status

from steerway.planning.catalog import queries as catalog
from steerway.planning.changes import actions, queries
from steerway.planning.changes.models import Change, Hold
from steerway.planning.changes.wire import ChangeOut, FreezeIn, HoldIn, HoldOut
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["changes"])
holds = Router(tags=["changes"])
freeze = Router(tags=["changes"])

Text = Annotated[str, Query(max_length=200)]


@router.get("", response=list[ChangeOut])
def newest(
    request: SteerwayRequest,
    service: Text = "",
    environment: Text = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    rows: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[Change]:
    """Changes, newest first."""
    return queries.newest(service=service, environment=environment, before=before, rows=rows)


@router.get("/{ref}", response=ChangeOut)
def show(request: SteerwayRequest, ref: str) -> Change:
    """One change."""
    return queries.get(ref)


@holds.get("", response=list[HoldOut])
def in_force(request: SteerwayRequest) -> list[Hold]:
    """Holds in force, the freeze among them."""
    return queries.open_holds()


@holds.post("", response={201: HoldOut})
def place(request: SteerwayRequest, body: HoldIn) -> Status[Hold]:
    """Keep changes of a service from starting."""
    service = catalog.get(body.service)
    return Status(201, actions.hold(request.work, service=service.name, reason=body.reason))


@holds.delete("/{ref}", response={204: None})
def lift(request: SteerwayRequest, ref: str) -> Status[None]:
    """End a hold."""
    actions.lift(request.work, queries.hold(ref))
    return Status(204, None)


@freeze.put("", response={201: HoldOut})
def start_freeze(request: SteerwayRequest, body: FreezeIn) -> Status[Hold]:
    """Keep every change from starting, except emergencies and rollbacks."""
    return Status(201, actions.freeze(request.work, reason=body.reason))


@freeze.delete("", response={204: None})
def end_freeze(request: SteerwayRequest) -> Status[None]:
    """End the freeze."""
    actions.thaw(request.work)
    return Status(204, None)
