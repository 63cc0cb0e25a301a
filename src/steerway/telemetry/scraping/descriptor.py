"""The `telemetry.scrape` section: pages of metrics that a service shows."""

from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from steerway.platform.descriptor.section import DurationBetween, Section

# A minute, because what has been silent for two is said to be stale.
LONGEST: Final = "1m"


class ScrapeSection(Section):
    """One page of metrics, read from every running replica or from an exporter beside them."""

    path: str = Field(
        default="/metrics",
        pattern=r"^/[!-~]*$",
        max_length=1000,
        description="Path of the page.",
    )
    port: Literal["run"] | Annotated[int, Field(ge=1, le=65535)] = Field(
        default="run", description="run: the port of the replica; else another port of this host."
    )
    url: str = Field(
        default="",
        pattern=r"^(https?://[!-~]+)?$",
        max_length=1000,
        description="Address of an exporter, instead of path and port: read once for each "
        "environment, not once for each replica.",
    )
    job: str = Field(
        default="",
        max_length=100,
        pattern=r"^[\w./:-]*$",
        description="The label `job` of its series; the name of the service if empty.",
    )
    interval: Annotated[timedelta, DurationBetween("1s", LONGEST)] = Field(
        default=timedelta(seconds=15), description="How often it is read, from 1s to 1m."
    )

    @model_validator(mode="after")
    def is_one_address(self) -> Self:
        """A page is told by path and port, or by its address."""
        if self.url and (self.port != "run" or self.path != "/metrics"):
            raise ValueError("url already names the page; leave out path and port")
        return self
