"""The `route` section: how clients reach a service."""

from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from steerway.platform.descriptor.section import DurationBetween, Section, SizeBetween

# Browsers keep the cookies of a host for all of its ports: under these names a service would be
# sent the sessions of people who use Steerway on the machine itself.
OWN_HOSTS: Final = frozenset({"localhost", "127.0.0.1"})
ENDLESS_TRY: Final = timedelta(seconds=15)  # shared among the tries of an endless answer

HostName = Annotated[
    str,
    Field(
        pattern=r"^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$",
        max_length=253,
        json_schema_extra={"x-expected": "a host name in small letters, such as shop.example.com,"},
    ),
]


class RouteSection(Section):
    """How clients reach the service."""

    hosts: tuple[HostName, ...] = Field(
        default=(),
        max_length=100,
        description="Host names beside <service>.<environment>.localhost, which always works.",
    )
    timeout: Annotated[timedelta, DurationBetween("0s", "1h")] = Field(
        default=timedelta(seconds=15),
        description="How long a whole answer may take, up to 1h. 0s: no limit, for endless "
        "streams.",
    )
    try_timeout: Annotated[timedelta, DurationBetween("10ms", "1h")] | None = Field(
        default=None,
        description="How long one replica may be silent until another is asked too, from 10ms to "
        "1h; left out, the timeout is shared evenly among the tries. Only for requests that may "
        "be repeated (GET, HEAD, OPTIONS, PUT, DELETE).",
    )
    body: Annotated[int, SizeBetween("0B", "4GB")] = Field(
        default=10_000_000,
        description="Largest body of a request, up to 4GB.",
    )
    retries: int = Field(
        default=2,
        ge=0,
        le=5,
        description="How often a failed request is tried again on another replica. A request "
        "that may not be repeated is only tried again while no replica has seen it.",
    )
    idle: Annotated[timedelta, DurationBetween("1s", "1h")] = Field(
        default=timedelta(seconds=4),
        description="How long an unused connection to a replica is kept, from 1s. Shorter than "
        "the service keeps it, else a POST can meet a connection that is being closed.",
    )

    @property
    def try_limit(self) -> timedelta:
        """How long one replica may be silent."""
        return self.try_timeout or (self.timeout or ENDLESS_TRY) / (self.retries + 1)

    @model_validator(mode="after")
    def hosts_are_not_steerway_s(self) -> Self:
        """Names of the machine itself belong to Steerway's pages."""
        if taken := OWN_HOSTS.intersection(self.hosts):
            raise ValueError(
                f"{min(taken)} is the name of Steerway's own pages; a name below it, such as "
                "shop.localhost, is a service's"
            )
        return self

    @model_validator(mode="after")
    def a_second_try_fits(self) -> Self:
        """A try that may take longer than all tries together can never be repeated."""
        if self.try_timeout and self.timeout and self.try_timeout > self.timeout:
            raise ValueError("try_timeout is longer than timeout, so no second try could happen")
        return self
