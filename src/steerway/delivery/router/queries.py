"""What the router should serve, composed from routes and the replicas that are live."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from steerway.delivery.router.descriptor import RouteSection
from steerway.delivery.router.models import Route
from steerway.delivery.router.rules import (
    Endpoint,
    Health,
    Share,
    Table,
    Version,
    VirtualHost,
    cluster_name,
    domains,
    whole,
)
from steerway.delivery.runtimes.models import Replica

LOOPBACK = "127.0.0.1"


def routes() -> list[Route]:
    """Every route."""
    return list(Route.objects.all())


def route(service: str, environment: str) -> Route | None:
    """Where the traffic of a service goes in an environment; None before its first switch."""
    return Route.objects.filter(service=service, environment=environment).first()


def receivers(service: str, environment: str) -> set[UUID]:
    """The deployments that new requests to a service go to."""
    found = route(service, environment)
    return {UUID(share["deployment"]) for share in found.shares} if found else set()


def table(
    services: Collection[str],
    replicas: Iterable[Replica],
    releases: Mapping[UUID, str],
    healths: Mapping[UUID, Health],
) -> Table:
    """What the router of these services serves: a version per deployment, a host per route.

    `releases` and `healths` say, by deployment, what it is called and how it is asked.
    """
    found = [one for one in routes() if one.service in services]
    idle = {(one.service, one.environment): _section(one).idle for one in found}
    endpoints: dict[UUID, list[Replica]] = {}
    for replica in replicas:
        if replica.port is not None and replica.routed:
            endpoints.setdefault(replica.deployment_id, []).append(replica)
    versions = tuple(
        Version(
            cluster=cluster_name(mine[0].service, mine[0].environment, deployment),
            service=mine[0].service,
            environment=mine[0].environment,
            release=releases[deployment],
            endpoints=tuple(Endpoint(LOOPBACK, r.port) for r in mine if r.port is not None),
            health=healths[deployment],
            idle=idle.get((mine[0].service, mine[0].environment), RouteSection().idle),
        )
        for deployment, mine in endpoints.items()
    )
    known = {version.cluster for version in versions}
    return Table(hosts=tuple(_host(one, known) for one in found), versions=versions)


def owner(domain: str, *, other_than: tuple[str, str]) -> Route | None:
    """The route that already has a host name; None when it is free for this place."""
    return next(
        (
            one
            for one in routes()
            if (one.service, one.environment) != other_than and domain in _domains(one)
        ),
        None,
    )


def _host(route: Route, known: set[str]) -> VirtualHost:
    """The host of a route; without shares when nothing it points to has replicas."""
    section = _section(route)
    found = [
        (share.get("shadow", False), Share(cluster, share["percent"]))
        for share in route.shares
        if (cluster := cluster_name(route.service, route.environment, UUID(share["deployment"])))
        in known
    ]
    shares = tuple(share for is_shadow, share in found if not is_shadow)
    return VirtualHost(
        name=f"{route.service}.{route.environment}",  # neither has a dot, both may have dashes
        service=route.service,
        environment=route.environment,
        domains=_domains(route),
        shares=whole(shares),
        shadow=next((share for is_shadow, share in found if is_shadow), None),
        timeout=section.timeout,
        try_timeout=section.try_limit,
        body_bytes=section.body,
        retries=section.retries,
    )


def _section(route: Route) -> RouteSection:
    return RouteSection.stored(route.settings)


def _domains(route: Route) -> tuple[str, ...]:
    return domains(
        route.service, route.environment, is_last=route.is_last, hosts=_section(route).hosts
    )
