"""Shapes of analyses at the API."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from steerway.delivery.analyses.models import Analysis
from steerway.delivery.analyses.rules.telling import plain
from steerway.delivery.canaries.queries import Point


class ApprovalIn(BaseModel):
    """The step that may be taken, in percent of the traffic."""

    model_config = ConfigDict(extra="forbid")

    percent: Annotated[float, Field(gt=0, le=100)]


class MetricOut(BaseModel):
    """How close one metric is to which boundary, and the counts of the step."""

    name: str
    title: Annotated[str, Field(description="What people call it.")]
    nearness: Annotated[float, Field(description="On the way to a rollback, 0..1.")]
    progress: Annotated[float, Field(description="On the way through the gate, 0..1.")]
    gate_needed: bool
    gate_passed: bool
    log_e: float
    boundary: float
    requests_new: float
    bad_new: float
    requests_old: float
    bad_old: float


class PointOut(BaseModel):
    """What was known after one second."""

    second: int
    at: datetime
    percent: float
    answer: str
    move: str
    nearness: float
    log_e: float
    boundary: float
    reasons: list[str]
    metrics: list[MetricOut]

    @classmethod
    def of(cls, point: Point) -> "PointOut":
        """One second with all of its metrics."""
        verdict = point.verdict
        found = verdict.evidence
        return cls(
            second=found.second,
            at=point.at,
            percent=found.percent,
            answer=verdict.answer.value,
            move=verdict.move.name.lower().replace("_", "-"),
            nearness=found.nearness,
            log_e=found.log_e,
            boundary=found.boundary,
            reasons=list(verdict.reasons),
            metrics=[MetricOut(**plain(one)) for one in found.metrics],
        )


class AnalysisOut(BaseModel):
    """One analysis: where it stands, and why."""

    model_config = ConfigDict(from_attributes=True)

    ref: str
    service: str
    environment: str
    version: str
    stable_version: str
    state: str
    percent: float
    steps: list[float]
    answer: str
    reasons: list[str]
    is_held: bool
    paused_by: str
    waits_for: float | None
    topped_up: int
    begun_at: datetime
    stage_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    points: list[PointOut]

    @classmethod
    def of(cls, analysis: Analysis, points: list[Point]) -> "AnalysisOut":
        """The analysis with these seconds."""
        names = set(cls.model_fields) - {"steps", "points", "waits_for"}
        return cls(
            **{name: getattr(analysis, name) for name in names},
            steps=analysis.steps,
            waits_for=analysis.waits_for,
            points=[PointOut.of(one) for one in points],
        )
