"""Shapes of the catalog at the API."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from steerway.planning.catalog import queries
from steerway.planning.catalog.models import Environment, Service
from steerway.planning.catalog.rules import Effect, Plan
from steerway.platform.descriptor.masking import masked_document

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class EnvironmentOut(BaseModel):
    """One environment; `config_digest` is its configuration hash."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    position: int
    config_digest: str


class ServiceOut(BaseModel):
    """One service."""

    name: str
    description: str
    owners: list[str]
    state: str
    digest: str
    applied_at: datetime
    applied_by: str
    paused_at: datetime | None
    paused_by: str
    pause_reason: str
    environments: list[EnvironmentOut]

    @classmethod
    def of(cls, service: Service) -> "ServiceOut":
        """The service with its environments, from the prefetch where there is one."""
        found: list[Environment] | None = getattr(service, "active_environments", None)
        environments = queries.environments(service) if found is None else found
        return cls(
            name=service.name,
            description=service.description,
            owners=service.owners,
            state=service.state,
            digest=service.digest,
            applied_at=service.applied_at,
            applied_by=service.applied_by,
            paused_at=service.paused_at,
            paused_by=service.paused_by,
            pause_reason=service.pause_reason,
            environments=[EnvironmentOut.model_validate(one) for one in environments],
        )


class EnvironmentDetailOut(EnvironmentOut):
    """One environment with all values in force. Secrets are names, never values."""

    resolved: dict[str, Any]

    @classmethod
    def of(cls, environment: Environment) -> "EnvironmentDetailOut":
        """The environment, with what looks like a secret hidden."""
        whole = cls.model_validate(environment)
        return whole.model_copy(update={"resolved": masked_document(whole.resolved)})


class DescriptorOut(BaseModel):
    """The descriptor in force, as it was written; what looks like a secret is hidden."""

    file: str
    text: str


class DescriptorIn(BaseModel):
    """A descriptor to plan or apply.

    `file` is how its lines are quoted back; `directory` is the absolute path of the directory it
    lies in, from which a repository named by a path is counted; `flags` is the text of the flag
    file that it names.
    """

    text: Annotated[str, StringConstraints(max_length=262_144)]
    file: Annotated[str, StringConstraints(min_length=1, max_length=500)] = "steerway.yaml"
    directory: Annotated[str, StringConstraints(max_length=1000, pattern=r"^(/[^\x00]*)?$")] = ""
    flags: Annotated[str, StringConstraints(max_length=1_048_576)] | None = None


class DifferenceOut(BaseModel):
    """One value that is not what it was; null where there was or is none."""

    model_config = ConfigDict(from_attributes=True)

    path: str
    old: str | None
    new: str | None
    file: str
    line: int | None


class PlanOut(BaseModel):
    """What applying a descriptor would change, or has changed."""

    service: str
    is_new: bool
    is_changed: bool
    differences: list[DifferenceOut]
    environments: dict[str, Effect]
    warnings: list[str] = []

    @classmethod
    def of(cls, plan: Plan, warnings: list[str]) -> "PlanOut":
        """The plan, with what the reader of the descriptor should know."""
        return cls(
            service=plan.service,
            is_new=plan.is_new,
            is_changed=plan.is_changed,
            differences=[DifferenceOut.model_validate(one) for one in plan.differences],
            environments=plan.effects,
            warnings=warnings,
        )


class PauseIn(BaseModel):
    """A pause to start."""

    reason: Reason
