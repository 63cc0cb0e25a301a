"""Traffic: the records of routes made true in the router, one writer at a time."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from steerway.delivery.deployments import queries
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.router import actions as routes
from steerway.delivery.router import queries as router
from steerway.delivery.router.actions import Aim
from steerway.delivery.router.errors import RouterDown
from steerway.delivery.router.rules import Ack, Health, Table, cluster_name
from steerway.delivery.runtimes import actions as runtimes
from steerway.delivery.runtimes import queries as replicas
from steerway.delivery.runtimes.adapters import sockets
from steerway.delivery.runtimes.descriptor import RunSection
from steerway.delivery.runtimes.models import Replica
from steerway.planning.catalog import queries as catalog
from steerway.platform.db import reading, unit_of_work

ROUTER_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.02
NO_WAIT: Final = timedelta(0)
ALL: Final = 100  # percent
NOBODY: Final[Mapping[UUID, int]] = MappingProxyType({})
NO_PORT: Final = "none"  # what a program has that serves nothing


def await_router(ground: Ground) -> None:
    """Return when the router answers.

    Raises:
        RouterDown: it does not within 15 s.
    """
    until = time.monotonic() + ROUTER_SECONDS
    while True:
        try:
            if ground.envoy.ready():
                return
        except RouterDown:
            if time.monotonic() > until:
                raise
        if time.monotonic() > until:
            raise RouterDown(reason="it is not ready", log=ground.envoy.admin.log)
        time.sleep(POLL_SECONDS)


def apply(ground: Ground) -> Ack:
    """Have the router serve what the records say. Nothing is written when it does already.

    Nobody's requests are waited for: all services take turns here.
    """
    with ground.routing:
        return ground.envoy.apply(table(ground), drain_limit=NO_WAIT)


def table(ground: Ground) -> Table:
    """What the records say this server's router should serve."""
    with reading():
        mine = set(catalog.living_on(ground.node))
        live = [replica for replica in replicas.live() if replica.service in mine]
        found = queries.by_ids({replica.deployment_id for replica in live})
        releases = {one.id: one.version for one in found}
        healths = {one.id: _health(one) for one in found}
        return router.table(mine, live, releases, healths)


def point(
    ground: Ground,
    deployment: Deployment,
    shares: Mapping[UUID, int],
    shadows: Mapping[UUID, int] = NOBODY,
) -> None:
    """Move a service's traffic: first in the records, then in the router.

    A program that serves nothing has none.
    """
    if deployment.plan["run"]["port"] == NO_PORT:
        return
    with unit_of_work():
        mine = [r for r in replicas.of_deployment(deployment.id) if r.wanted]
        runtimes.admit(ground.work(), mine, routed=True)
        service = catalog.get(deployment.service)
        last = catalog.environment(service, "")
        aim = Aim(
            service=deployment.service,
            environment=deployment.environment,
            shares=shares,
            shadows=shadows,
            is_last=last.name == deployment.environment,
            settings=deployment.plan["route"],
        )
        routes.point(ground.work(), aim)
    apply(ground)


def withdraw(ground: Ground, going: Sequence[Replica], *, limit: timedelta) -> None:
    """Take replicas out of traffic, and wait until their requests have ended or the limit is over.

    A version that gets no new requests keeps its place in the router until it has answered the
    others: any service's turn could take it away. The router closes its connections to a replica
    when the requests on them have ended, so one without connections has nothing left to answer.
    """
    until = time.monotonic() + limit.total_seconds()
    quiet = _without_traffic(going)
    while quiet and ground.envoy.active_requests(*quiet) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    with unit_of_work():
        runtimes.admit(ground.work(), going, routed=False)
    apply(ground)
    while _is_busy(going) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)


def cluster(deployment: Deployment) -> str:
    """What the router calls a deployment."""
    return cluster_name(deployment.service, deployment.environment, deployment.id)


def _without_traffic(going: Sequence[Replica]) -> list[str]:
    """What the router calls the versions of these replicas that have no share of new requests."""
    versions = {(r.service, r.environment, r.deployment_id) for r in going if r.port}
    with reading():
        return [
            cluster_name(service, environment, deployment)
            for service, environment, deployment in versions
            if deployment not in router.receivers(service, environment)
        ]


def _is_busy(going: Sequence[Replica]) -> bool:
    ports = {replica.port for replica in going if replica.port}
    return bool(ports) and sockets.connections(ports) > 0


def _health(deployment: Deployment) -> Health:
    section = RunSection.stored(deployment.plan["run"]).health
    return Health(path=section.path)
