"""Which replicas there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import ProcessState

PRINTED_BYTES_MAX: Final = 1_000_000  # of one replica
ANSWER_BYTES_MAX: Final = 4_000_000  # of all replicas together; who follows asks for the rest


def live(service: str = "", environment: str = "") -> list[Replica]:
    """Replicas that are not retired, of one service or environment if asked for."""
    rows = Replica.objects.filter(retired_at=None)
    if service:
        rows = rows.filter(service=service)
    if environment:
        rows = rows.filter(environment=environment)
    return list(rows)


def live_of(services: Iterable[str]) -> list[Replica]:
    """Replicas of several services that are not retired, to be looked at: in one query."""
    found = Replica.objects.filter(retired_at=None, service__in=list(services))
    return list(found.defer("spec"))


def printing(services: Iterable[str], *, since: datetime) -> list[Replica]:
    """Replicas of several services that print, or were retired since a moment: in one query."""
    found = Q(retired_at=None) | Q(retired_at__gte=since)
    return list(Replica.objects.filter(found, service__in=list(services)))


def ailing(deployments: "QuerySet[Any]", *, rows: int) -> list[str]:
    """Services with a replica of these deployments that should do its work and does not, by name.

    Shape: one query; `deployments` selects their ids.
    """
    idle = ~Q(state=ProcessState.RUNNING.value) | Q(port__isnull=False, routed=False)
    found = Replica.objects.filter(Q(looping=True) | idle, retired_at=None, wanted=True)
    # What nobody has seen is unknown, which is not known to be trouble.
    seen = found.filter(deployment_id__in=deployments, seen_at__isnull=False)
    return list(seen.order_by("service").values_list("service", flat=True).distinct()[:rows])


def wanted() -> list[Replica]:
    """Replicas that should run now."""
    return list(Replica.objects.filter(retired_at=None, wanted=True))


def of_deployment(deployment_id: UUID) -> list[Replica]:
    """Every replica a deployment has had, by index, retired ones too."""
    return list(Replica.objects.filter(deployment_id=deployment_id).order_by("index"))


def by_program(program: str) -> Replica | None:
    """The replica that a program is; None for the router and the server."""
    return Replica.objects.filter(program=program).first()


def sender(digest: str) -> Replica | None:
    """The replica that may send telemetry with the token of this hash."""
    return Replica.objects.filter(sender=digest, retired_at=None).first() if digest else None


def share_bytes(asked: int, replicas: int) -> int:
    """What each of so many replicas may have of one answer."""
    return min(asked, ANSWER_BYTES_MAX // max(replicas, 1))


@dataclass(frozen=True, slots=True)
class Printed:
    """Whole lines that a replica has printed, and the position behind them."""

    text: str
    position: int


def printed(log: Path, replica: Replica, *, after: int | None, size_bytes: int) -> Printed:
    """What a replica printed after a position, or its last lines; at most `size_bytes`.

    `log` is the directory of logs. A rotated log starts again from its beginning. A line that is
    longer than that is broken.
    """
    file = log / f"{replica.program}.log"
    if not file.exists():
        return Printed("", 0)
    size = file.stat().st_size
    start = after if after is not None and after <= size else max(0, size - size_bytes)
    most = min(size_bytes, PRINTED_BYTES_MAX)
    with file.open("rb") as handle:
        handle.seek(start)
        content = handle.read(most)
    is_endless = b"\n" not in content and len(content) == most
    whole = content if is_endless else content[: content.rfind(b"\n") + 1]
    shown = whole if after is not None or not start else whole.partition(b"\n")[2]
    return Printed(shown.decode(errors="replace"), start + len(whole))
