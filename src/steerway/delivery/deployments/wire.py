"""Shapes of deployments at the API."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from steerway.delivery.deployments.models import Deployment

Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Ref = Annotated[str, StringConstraints(max_length=200)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]


class DeploymentIn(BaseModel):
    """What to deploy: a branch, tag or commit; the descriptor's own reference when empty."""

    model_config = ConfigDict(extra="forbid")

    service: Name
    environment: Name
    ref: Ref = ""
    why: Why = ""
    emergency: bool = False
    force: bool = False
    dark: bool = False


class RollbackIn(BaseModel):
    """What to return to: a version that served before; the last good one when empty."""

    model_config = ConfigDict(extra="forbid")

    service: Name
    environment: Name
    to: Ref = ""
    why: Why = ""


class StepOut(BaseModel):
    """How far one step is."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    note: str


class DeploymentOut(BaseModel):
    """One deployment."""

    model_config = ConfigDict(from_attributes=True)

    ref: str
    kind: str
    service: str
    environment: str
    version: str
    commit: str
    digest: str
    config_digest: str
    strategy: str
    state: str
    change: str
    requested_by: str
    requested_at: datetime
    switched_at: datetime | None
    ended_at: datetime | None
    rolled_back_at: datetime | None
    error: str
    log_tail: str

    @classmethod
    def of(cls, deployment: Deployment) -> "DeploymentOut":
        """The deployment with its release and change."""
        release = deployment.release
        return cls(
            ref=deployment.ref,
            kind=deployment.kind,
            service=deployment.service,
            environment=deployment.environment,
            version=deployment.version,
            commit=release.commit if release else "",
            digest=release.digest if release else "",
            config_digest=deployment.config_digest,
            strategy=deployment.strategy,
            state=deployment.state,
            change=deployment.change.ref,
            requested_by=deployment.requested_by,
            requested_at=deployment.requested_at,
            switched_at=deployment.switched_at,
            ended_at=deployment.ended_at,
            rolled_back_at=deployment.bad_at,
            error=deployment.error,
            log_tail=deployment.log_tail,
        )


class DeploymentDetailOut(DeploymentOut):
    """One deployment with its steps."""

    steps: list[StepOut]

    @classmethod
    def detailed(cls, deployment: Deployment) -> "DeploymentDetailOut":
        """The deployment, its steps in order."""
        steps = [StepOut.model_validate(step) for step in deployment.steps.order_by("position")]
        return cls(**DeploymentOut.of(deployment).model_dump(), steps=steps)
