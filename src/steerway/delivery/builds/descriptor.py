"""The `build` section: how the service's files are made ready to run."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from steerway.platform.descriptor.section import (
    DurationBetween,
    Section,
    SizeBetween,
    VariableName,
)


class BuildLimits(Section):
    """How much a build may write."""

    output: Annotated[int, SizeBetween("1MB", "100GB")] = Field(
        default=2 * 10**9,
        description="Size of all files when the build is done and at any time before, "
        "from 1MB to 100GB.",
    )
    log: Annotated[int, SizeBetween("10kB", "1GB")] = Field(
        default=10 * 10**6,
        description="Size of the log, from 10kB to 1GB; what comes after is not kept.",
    )


class BuildSection(Section):
    """How a commit becomes a release."""

    kind: Literal["auto", "python", "node", "command"] = Field(
        default="auto",
        description="What is built: python installs the locked dependencies, node runs npm ci and "
        "the script build, command only runs the command. auto looks at the files.",
    )
    command: str | None = Field(
        default=None,
        min_length=1,
        max_length=10_000,
        description="Shell command that builds the service, run in a clean copy of its files, "
        "after the dependencies of a python or node service are installed.",
    )
    timeout: Annotated[timedelta, DurationBetween("1s", "6h")] = Field(
        default=timedelta(minutes=10),
        description="How long the whole build may take, from 1s to 6h.",
    )
    environment: dict[VariableName, str] = Field(
        default_factory=dict,
        max_length=200,
        description="Variables of the build. Secrets do not belong here: a release holds none.",
    )
    limits: BuildLimits = Field(
        default_factory=BuildLimits, description="How much the build may write."
    )

    @model_validator(mode="after")
    def has_its_command(self) -> Self:
        """A build by command needs one."""
        if self.kind == "command" and self.command is None:
            raise ValueError("kind command needs a command")
        return self
