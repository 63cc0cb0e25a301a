"""Which replicas there are."""

from collections.abc import Iterable
from uuid import UUID

from steerway.delivery.runtimes.models import Replica


def live(service: str = "", environment: str = "") -> list[Replica]:
    """Replicas that are not retired, of one service or environment if asked for."""
    rows = Replica.objects.filter(retired_at=None)
    if service:
        rows = rows.filter(service=service)
    if environment:
        rows = rows.filter(environment=environment)
    return list(rows)


def live_of(services: Iterable[str]) -> list[Replica]:
    """Replicas of several services that are not retired, in one query."""
    return list(Replica.objects.filter(retired_at=None, service__in=list(services)))


def wanted() -> list[Replica]:
    """Replicas that should run now."""
    return list(Replica.objects.filter(retired_at=None, wanted=True))


def of_deployment(deployment_id: UUID) -> list[Replica]:
    """Every replica a deployment has had, by index, retired ones too."""
    return list(Replica.objects.filter(deployment_id=deployment_id).order_by("index"))


def by_program(program: str) -> Replica | None:
    """The replica that a program is; None for the router and the server."""
    return Replica.objects.filter(program=program).first()
