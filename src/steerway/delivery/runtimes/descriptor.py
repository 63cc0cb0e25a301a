"""The `run` section: the program of a service, what it is given and what it may use."""

import shlex
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StrictInt, model_validator

from steerway.platform.descriptor.section import (
    DurationBetween,
    Mode,
    Name,
    Section,
    SizeBetween,
    VariableName,
)

RESERVED = "STEERWAY_"
VALUE_LENGTH_MAX = 32_768  # the kernel takes 128 kB for one variable; a quarter leaves room

EnvironmentValue = Annotated[str, Field(max_length=VALUE_LENGTH_MAX)] | StrictInt | None


class HealthSection(Section):
    """How it is known that a replica is ready to serve."""

    path: str = Field(
        default="/healthz",
        pattern=r"^/[!-~]*$",
        max_length=1000,
        description="Path that answers 200 once the replica can serve.",
    )
    timeout: Annotated[timedelta, DurationBetween("1s", "10m")] = Field(
        default=timedelta(seconds=30),
        description="How long a replica may take until it is ready, from 1s to 10m.",
    )
    interval: Annotated[timedelta, DurationBetween("50ms", "1m")] = Field(
        default=timedelta(milliseconds=500),
        description="Pause between two questions, from 50ms to 1m.",
    )


class LimitsSection(Section):
    """The most that one replica may use; what is left out is not limited."""

    memory: Annotated[int, SizeBetween("8MB", "64TB")] | None = Field(
        default=None,
        description="Memory of one replica, at least 8MB; a replica that needs more is ended.",
    )
    cpus: float | None = Field(
        default=None,
        ge=0.01,
        le=1024,
        description="Processor cores of one replica, from 0.01.",
    )
    processes: int | None = Field(
        default=None,
        ge=1,
        le=4_194_304,
        description="Processes and threads of one replica.",
    )


class StopSection(Section):
    """How a replica is asked to end."""

    signal: Literal["TERM", "INT", "QUIT", "HUP", "USR1", "USR2"] = Field(
        default="TERM",
        description="Signal that asks the replica to finish its work and end.",
    )
    grace: Annotated[timedelta, DurationBetween("0s", "10m")] = Field(
        default=timedelta(seconds=10),
        description="How long it may take, up to 10m; then it is killed with all its children.",
    )


class RunSection(Section):
    """The program of the service."""

    command: str = Field(
        min_length=1,
        max_length=4000,
        description="Command that starts a replica, in the release's directory. $PORT and ${NAME} "
        "are replaced. It is not read by a shell, unless it starts with `sh -c`.",
    )
    port: Literal["auto", "none"] = Field(
        default="auto",
        description="auto: each replica gets a free port as PORT; none: it serves nothing.",
    )
    replicas: int = Field(
        default=1, ge=0, le=100, description="How many replicas run at the same time."
    )
    health: HealthSection = Field(
        default=HealthSection(), description="How it is known that a replica is ready."
    )
    environment: dict[VariableName, EnvironmentValue] = Field(
        default={},
        max_length=500,
        description="Variables of the program. null: each environment must set the value.",
    )
    secrets: dict[VariableName, Name] = Field(
        default={},
        max_length=200,
        description="Variables whose values are secrets, by the secret's name in the store.",
    )
    directories: dict[Name, Mode] = Field(
        default={},
        max_length=50,
        description="Directories that outlive releases, with their permissions. The path of "
        "`data` is given as STEERWAY_DATA_DIR.",
    )
    limits: LimitsSection = Field(
        default=LimitsSection(), description="The most that one replica may use."
    )
    stop: StopSection = Field(default=StopSection(), description="How a replica is ended.")

    @model_validator(mode="after")
    def command_has_words(self) -> Self:
        """Quotes are closed and something is left to start."""
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise ValueError(f"command {self.command!r} cannot be split: {error}") from None
        if not words:
            raise ValueError("command is empty")
        return self

    @model_validator(mode="after")
    def variables_are_the_users(self) -> Self:
        """Names that Steerway sets itself stay free, and each name means one thing."""
        for name in (*self.environment, *self.secrets):
            if name == "PORT" or name.startswith((RESERVED, f"_{RESERVED}")):
                raise ValueError(f"{name} is set by Steerway; choose another name")
        if twice := sorted(set(self.environment) & set(self.secrets)):
            raise ValueError(f"{', '.join(twice)} is both in environment and in secrets")
        if nul := sorted(k for k, v in self.environment.items() if "\0" in str(v)):
            raise ValueError(f"{', '.join(nul)} holds a zero byte, which no program can be given")
        return self

    @model_validator(mode="after")
    def health_has_a_port(self) -> Self:
        """A program that serves nothing cannot be asked."""
        if self.port == "none" and self.health != HealthSection():
            raise ValueError("health is asked over the port, but port is none")
        return self
