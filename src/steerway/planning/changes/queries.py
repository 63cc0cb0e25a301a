"""Reading changes and holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from steerway.planning.changes.errors import ChangeUnknown, Held, HoldUnknown
from steerway.planning.changes.models import Change, Hold
from steerway.planning.changes.rules import Brake
from steerway.platform.numbers.rules import number_of

ROWS_MAX = 200


@dataclass(frozen=True, slots=True)
class Day:
    """How many changes of one day are in one state."""

    day: date
    state: str
    count: int


def get(ref: str) -> Change:
    """One change by `CHG-12` or `12`.

    Raises:
        ChangeUnknown: there is none.
    """
    change = Change.objects.filter(number=number_of(ref)).first()
    if change is None:
        raise ChangeUnknown(ref=ref)
    return change


def newest(
    *, service: str = "", environment: str = "", before: int | None = None, rows: int = 50
) -> list[Change]:
    """Changes, newest first, older than the number `before`."""
    found = Change.objects.all()
    if service:
        found = found.filter(service=service)
    if environment:
        found = found.filter(environment=environment)
    if before is not None:
        found = found.filter(number__lt=before)
    return list(found.order_by("-number")[: min(rows, ROWS_MAX)])


def by_day(since: datetime) -> list[Day]:
    """How many changes were opened on each day from `since` on, by state; days without are absent.

    Shape: at most four rows a day, oldest first.
    """
    found = Change.objects.filter(opened_at__gte=since).annotate(day=TruncDate("opened_at"))
    counted = found.order_by("day", "state").values("day", "state").annotate(count=Count("id"))
    return [Day(row["day"], row["state"], row["count"]) for row in counted]


def open_holds(services: Iterable[str] | None = None) -> list[Hold]:
    """Holds in force, newest first; of these services and of everything when they are named."""
    found = Hold.objects.filter(lifted_at=None)
    if services is not None:
        found = found.filter(Q(service="") | Q(service__in=list(services)))
    return list(found.order_by("-number")[:ROWS_MAX])


def hold(ref: str) -> Hold:
    """One hold in force.

    Raises:
        HoldUnknown: there is none, or it was lifted.
    """
    found = Hold.objects.filter(number=number_of(ref), lifted_at=None).first()
    if found is None:
        raise HoldUnknown(ref=ref)
    return found


def freeze() -> Hold | None:
    """The freeze in force, if any."""
    return Hold.objects.filter(lifted_at=None, brake=Brake.FREEZE.value).first()


def refuse_if_held(service: str) -> None:
    """Go on only when nothing holds changes of `service`.

    Raises:
        Held: with the newest hold's reason.
    """
    for held in open_holds([service])[:1]:
        raise Held(
            target="Everything" if not held.service else service,
            reason=held.reason,
            ref=held.ref,
            by=held.placed_by,
        )
