"""The `release` section: how a new version takes over from the old one."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from steerway.delivery.canaries.descriptor import CanarySection
from steerway.platform.descriptor.section import DurationBetween, Section


class ReleaseSection(Section):
    """How a new version takes over."""

    strategy: Literal["blue-green", "rolling", "canary"] = Field(
        default="blue-green",
        description="blue-green: all new replicas start beside the old ones, then traffic moves "
        "at once. rolling: one replica after the other, which needs less room. canary: all new "
        "replicas start beside the old ones, and traffic moves as it is earned.",
    )
    canary: CanarySection = Field(
        default=CanarySection(),
        description="How a new version earns its traffic, where the strategy is canary.",
    )
    keep: int = Field(
        default=5,
        ge=2,
        le=100,
        description="How many releases stay on disk, from 2: the one that serves and the one to "
        "go back to are always kept.",
    )
    drain: Annotated[timedelta, DurationBetween("0s", "10m")] = Field(
        default=timedelta(seconds=10),
        description="How long old replicas may finish their requests before they are stopped, "
        "up to 10m.",
    )
