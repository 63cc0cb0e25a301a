"""Pointing traffic. The records say where it goes; the router's files follow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from steerway.delivery.router import queries
from steerway.delivery.router.descriptor import RouteSection
from steerway.delivery.router.errors import HostTaken
from steerway.delivery.router.models import Route
from steerway.delivery.router.rules import domains
from steerway.platform.work import Work


@dataclass(frozen=True, slots=True)
class Aim:
    """Where the traffic of a service in an environment goes, in percent by deployment."""

    service: str
    environment: str
    shares: Mapping[UUID, int]
    is_last: bool
    settings: Mapping[str, Any] = field(default_factory=dict)
    # Who is sent copies of so many percent, and whose answers nobody sees.
    shadows: Mapping[UUID, int] = field(default_factory=dict)


def point(work: Work, aim: Aim) -> bool:
    """Say where traffic goes; False when it goes there already.

    Raises:
        HostTaken: one of the host names leads elsewhere.
    """
    if aim.is_last:
        # Environments were added or moved: the short name goes to the one that is last now.
        others = Route.objects.filter(service=aim.service).exclude(environment=aim.environment)
        others.filter(is_last=True).update(is_last=False, updated_at=work.now)
    hosts = RouteSection.stored(aim.settings).hosts
    names = domains(aim.service, aim.environment, is_last=aim.is_last, hosts=hosts)
    check_hosts(aim.service, aim.environment, names)
    shares = [{"deployment": str(key), "percent": value} for key, value in aim.shares.items()]
    shares += [
        {"deployment": str(key), "percent": value, "shadow": True}
        for key, value in aim.shadows.items()
    ]
    values = {"is_last": aim.is_last, "settings": dict(aim.settings), "shares": shares}
    route, is_new = Route.objects.get_or_create(
        service=aim.service,
        environment=aim.environment,
        defaults={**values, "updated_at": work.now},
    )
    if not is_new:
        if {name: getattr(route, name) for name in values} == values:
            return False
        Route.objects.filter(id=route.id).update(**values, updated_at=work.now)
    work.record(
        "route.pointed",
        str(route),
        service=aim.service,
        environment=aim.environment,
        shares={str(key): value for key, value in aim.shares.items()},
    )
    return True


def close(work: Work, *, service: str, environment: str) -> bool:
    """Forget where traffic went: its hosts lead nowhere; False when they did already."""
    route = queries.route(service, environment)
    if route is None:
        return False
    route.delete()
    work.record("route.closed", str(route), service=service, environment=environment)
    return True


def check_hosts(service: str, environment: str, hosts: Iterable[str]) -> None:
    """Refuse host names that lead elsewhere.

    Raises:
        HostTaken: names the first of them.
    """
    for host in hosts:
        if other := queries.owner(host, other_than=(service, environment)):
            raise HostTaken(host=host, owner=other, service=service, environment=environment)
