"""Shapes of services as they are now."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from steerway.control.bridge.rules import Need
from steerway.control.services.queries import Overview
from steerway.planning.changes.models import Hold


class ReplicaOut(BaseModel):
    """One replica as it was last seen."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    state: str
    started_at: datetime | None
    restarts: int | None
    port: int | None
    problem: str


class LaneOut(BaseModel):
    """A service in one environment."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    state: str
    version: str
    commit: str
    deployment: str
    since: datetime | None
    config_digest: str
    served_config: str
    url: str
    deploying: str
    wanted: int
    up: int
    replicas: list[ReplicaOut]


class ServiceStatusOut(BaseModel):
    """A service in all its environments."""

    name: str
    state: str
    paused_by: str
    pause_reason: str
    environments: list[LaneOut]

    @classmethod
    def of(cls, one: Overview) -> "ServiceStatusOut":
        """What is known about it."""
        return cls(
            name=one.service.name,
            state=one.state.value,
            paused_by=one.service.paused_by,
            pause_reason=one.service.pause_reason,
            environments=[
                LaneOut(
                    name=lane.name,
                    state=lane.state.value,
                    version=lane.version,
                    commit=lane.commit,
                    deployment=lane.ref,
                    since=lane.since,
                    config_digest=lane.config_digest,
                    served_config=lane.served_config,
                    url=lane.url,
                    deploying=lane.flight,
                    wanted=lane.wanted,
                    up=lane.up,
                    replicas=[ReplicaOut.model_validate(r) for r in lane.replicas],
                )
                for lane in one.lanes
            ],
        )


class NeedOut(BaseModel):
    """Something that waits for somebody."""

    model_config = ConfigDict(from_attributes=True)

    tone: str
    title: str
    detail: str
    kind: str
    name: str


class StatusOut(BaseModel):
    """What runs, and what needs somebody."""

    url: str
    frozen: str
    needs: list[NeedOut]
    services: list[ServiceStatusOut]

    @classmethod
    def of(
        cls, url: str, frozen: Hold | None, needs: list[Need], found: list[Overview]
    ) -> "StatusOut":
        """The whole."""
        return cls(
            url=url,
            frozen=f"{frozen.reason} ({frozen.placed_by})" if frozen else "",
            needs=[NeedOut.model_validate(need) for need in needs],
            services=[ServiceStatusOut.of(one) for one in found],
        )


class ReadyOut(BaseModel):
    """The server answers."""

    ready: bool
    version: str
