"""Traffic as JSON."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from steerway.control.traffic.queries import Series, Traffic
from steerway.control.traffic.rules import WINDOW, Rate


class SwitchOut(BaseModel):
    """The moment at which a deployment got its first requests."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    environment: str
    version: str
    deployment: str


class SeriesOut(BaseModel):
    """One version: a value for each of `times`, null where nothing is known."""

    environment: str
    version: str
    deployment: str
    requests_per_second: list[float | None]
    failed_ratio: list[float | None]

    @classmethod
    def of(cls, one: Series) -> "SeriesOut":
        """Its rates, rounded to what can be seen."""
        return cls(
            environment=one.environment,
            version=one.version,
            deployment=one.deployment,
            requests_per_second=[_requests(rate) for rate in one.rates],
            failed_ratio=[_failed(rate) for rate in one.rates],
        )


class TrafficOut(BaseModel):
    """The last minutes of a service, as this server saw them; it keeps no more."""

    is_live: bool = Field(description="Whether the router was heard of just now.")
    window_seconds: int
    times: list[float] = Field(description="Seconds since 1970, UTC.")
    series: list[SeriesOut]
    markers: list[SwitchOut]

    @classmethod
    def of(cls, found: Traffic) -> "TrafficOut":
        """The whole."""
        return cls(
            is_live=found.is_live,
            window_seconds=int(WINDOW.total_seconds()),
            times=[round(at.timestamp(), 2) for at in found.times],
            series=[SeriesOut.of(one) for one in found.series],
            markers=[SwitchOut.model_validate(one) for one in found.markers],
        )


def _requests(rate: Rate | None) -> float | None:
    return None if rate is None else round(rate.requests_per_second, 2)


def _failed(rate: Rate | None) -> float | None:
    return None if rate is None or rate.failed_ratio is None else round(rate.failed_ratio, 4)
