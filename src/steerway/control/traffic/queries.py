"""The traffic of a service, joined with the deployments that changed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from steerway.control.traffic.rules import WINDOW, Flow, Rate, Window, flows, rates
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.router.rules import cluster_name

# After so long without a look, what is shown is not what is.
STALE: Final = timedelta(seconds=5)
RECENT_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Series:
    """One deployed version, with its rate at each moment of the traffic."""

    environment: str
    version: str
    deployment: str
    rates: Sequence[Rate | None]


@dataclass(frozen=True, slots=True)
class Marker:
    """The moment at which a deployment got its first requests."""

    at: datetime
    environment: str
    version: str
    deployment: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """The last minutes of a service. Not `is_live`: the router was not heard of just now."""

    is_live: bool
    times: Sequence[datetime]
    series: Sequence[Series]
    markers: Sequence[Marker]


def traffic(window: Window, service: str, *, now: datetime) -> Traffic:
    """What the router answered for a service in the last minutes.

    Shape: a version that had no request at all is absent. Two queries.
    """
    looks = window.looks(now)
    recent = deployments.newest(service=service, rows=RECENT_MAX)
    known = {_name(one): one for one in [*deployments.all_serving([service]), *recent]}
    return Traffic(
        is_live=bool(looks) and looks[-1].at > now - STALE,
        times=[look.at for look in looks],
        series=[
            _series(flow, known.get(flow.version), rates(looks, flow))
            for flow in flows(looks, service)
        ],
        markers=[
            Marker(one.switched_at, one.environment, one.version, one.ref)
            for one in recent
            if one.switched_at and one.switched_at > now - WINDOW
        ],
    )


def _name(deployment: Deployment) -> str:
    return cluster_name(deployment.service, deployment.environment, deployment.id)


def _series(flow: Flow, known: Deployment | None, found: Sequence[Rate | None]) -> Series:
    """A flow by the names that people use; the router's own when no deployment is known."""
    if known is None:
        return Series(flow.environment, flow.version, "", found)
    return Series(flow.environment, known.version, known.ref, found)
