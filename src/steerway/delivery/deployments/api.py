"""Deployments over HTTP."""

from typing import Annotated

from ninja import Query, Router, Status

from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.wire import (
    DeploymentDetailOut,
    DeploymentIn,
    DeploymentOut,
    RollbackIn,
)
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["deployments"])
rollbacks = Router(tags=["deployments"])

Text = Annotated[str, Query(max_length=200)]


@router.get("", response=list[DeploymentOut])
def newest(
    request: SteerwayRequest,
    service: Text = "",
    environment: Text = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    rows: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[DeploymentOut]:
    """Deployments, newest first."""
    found = queries.newest(service=service, environment=environment, before=before, rows=rows)
    return [DeploymentOut.of(deployment) for deployment in found]


@router.post("", response={202: DeploymentDetailOut})
def start(request: SteerwayRequest, body: DeploymentIn) -> Status[DeploymentDetailOut]:
    """Begin to deploy; follow the answer's `ref`."""
    wish = Wish(**body.model_dump())
    return Status(202, DeploymentDetailOut.detailed(actions.start(request.work, wish)))


@router.get("/{ref}", response=DeploymentDetailOut)
def show(request: SteerwayRequest, ref: str) -> DeploymentDetailOut:
    """One deployment with its steps."""
    return DeploymentDetailOut.detailed(queries.get(ref))


@router.post("/{ref}/cancellation", response={202: DeploymentDetailOut})
def cancel(request: SteerwayRequest, ref: str) -> Status[DeploymentDetailOut]:
    """Ask a deployment to stop and undo what it started."""
    actions.cancel(request.work, queries.get(ref))
    return Status(202, DeploymentDetailOut.detailed(queries.get(ref)))


@rollbacks.post("", response={202: DeploymentDetailOut})
def rollback(request: SteerwayRequest, body: RollbackIn) -> Status[DeploymentDetailOut]:
    """Begin to return to an earlier version with its configuration."""
    wish = Wish(service=body.service, environment=body.environment, ref=body.to, why=body.why)
    return Status(202, DeploymentDetailOut.detailed(actions.rollback(request.work, wish)))
