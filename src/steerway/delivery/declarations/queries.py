"""Reads of flags."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from steerway.delivery.declarations.errors import FlagUnknown
from steerway.delivery.declarations.models import Exposure, Flag, FlagDocument, FlagFile, Place
from steerway.delivery.declarations.rules import documents
from steerway.delivery.declarations.rules.states import Debt, Origin, Use, debts
from steerway.delivery.flagfiles.rules.checking import FlagFile as ReadFile
from steerway.planning.catalog.rules import Difference, Written, diff

ROWS_MAX = 500
LENGTH_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Indebted:
    """A flag that should leave the code, and why, by environment."""

    flag: Flag
    reasons: Mapping[str, Sequence[Debt]]


def get(service: str, key: str) -> Flag:
    """One flag of a service.

    Raises:
        FlagUnknown: it has none of that name.
    """
    found = Flag.objects.filter(service=service, key=key, retired_at=None).first()
    if found is None:
        raise FlagUnknown(service=service, flag=key)
    return found


def place(flag: Flag, environment: str) -> Place:
    """The flag in one environment; the last one when none is named.

    Raises:
        FlagUnknown: it is not there.
    """
    places = list(flag.places.all())
    found = [one for one in places if one.environment == environment or not environment]
    if not found:
        raise FlagUnknown(service=f"{flag.service} in {environment}", flag=flag.key)
    return found[-1]


def newest(*, service: str = "", after: str = "", rows: int = ROWS_MAX) -> list[Flag]:
    """Flags by service and name, with their places; two queries however many rows.

    `after` is the `service/key` that a page ended with.
    """
    found = Flag.objects.filter(retired_at=None)
    if service:
        found = found.filter(service=service)
    if after:
        name, _, key = after.partition("/")
        found = found.filter(service__gt=name) | found.filter(service=name, key__gt=key)
    listed = found.order_by("service", "key").prefetch_related("places")
    return list(listed[: min(rows, ROWS_MAX)])


def all_of(service: str) -> list[Flag]:
    """Every flag of a service."""
    found = Flag.objects.filter(service=service, retired_at=None)
    return list(found.order_by("key").prefetch_related("places"))


def has_documents(service: str) -> bool:
    """Whether somebody may read a document of the service."""
    return FlagDocument.objects.filter(service=service).exists()


def exposures(service: str, *, flag: str = "", rows: int = 50) -> list[Exposure]:
    """Releases of variants, newest first."""
    found = Exposure.objects.filter(service=service).select_related("change")
    if flag:
        found = found.filter(flag=flag)
    return list(found.order_by("-id")[: min(rows, ROWS_MAX)])


def in_debt(now: datetime, *, service: str = "") -> list[Indebted]:
    """Flags that should leave the code: expired, not evaluated, or with everybody for long."""
    found = []
    for flag in newest(service=service):
        reasons = {
            one.environment: debts(
                Use(flag.declared_at, flag.expires, one.evaluated_at, one.full_since), now
            )
            for one in flag.places.all()
        }
        kept = {name: said for name, said in reasons.items() if said}
        if kept:
            found.append(Indebted(flag, kept))
    return found


def file(service: str) -> FlagFile | None:
    """The flag file in force, if the service has one."""
    return FlagFile.objects.filter(service=service).first()


def plan(service: str, wanted: ReadFile | None) -> list[Difference]:
    """What applying the flag file would change, line by line."""
    old = file(service)
    before = _shown(old.written) if old else {}
    if wanted is None:
        name = old.file if old else ""
        return diff(before, {}, lines={}, file=name)
    taken = _taken_over(service, wanted)
    return taken + diff(before, _shown(wanted.written), lines=wanted.lines, file=wanted.file)


def decided_over(service: str) -> list[str]:
    """What is decided in Steerway and stays, whatever file is applied; one sentence each."""
    rows = Place.objects.filter(flag__service=service, flag__retired_at=None)
    found = rows.select_related("flag").order_by("flag__key", "position")
    return [sentence for one in found if (sentence := _decided(one))]


def document(service: str, environment: str) -> FlagDocument | None:
    """The flags of an environment in force; None when it has had none."""
    return FlagDocument.objects.filter(service=service, environment=environment).first()


def etags(services: Iterable[str] | None = None) -> dict[tuple[str, str], str]:
    """The digest of every document, by service and environment. Shape: one query."""
    found = FlagDocument.objects.all()
    if services is not None:
        found = found.filter(service__in=services)
    return {
        (service, environment): etag
        for service, environment, etag in found.values_list("service", "environment", "etag")
    }


def evaluators(service: str) -> dict[str, Any]:
    """The shared rules of a service's file."""
    held = file(service)
    found: dict[str, Any] = held.document.get("$evaluators", {}) if held else {}
    return found


def in_force(flag: Flag, environment: str, *, held: FlagFile | None) -> dict[str, Any]:
    """A flag as it is evaluated in an environment."""
    base = defined(flag, environment, held=held)
    decided = next((p.decided for p in flag.places.all() if p.environment == environment), None)
    return documents.in_force(flag.key, base, decided or documents.NOTHING)


def defined(flag: Flag, environment: str, *, held: FlagFile | None) -> dict[str, Any]:
    """A flag as its definition has it in an environment, before what is decided over it."""
    is_filed = held is not None and flag.origin == Origin.FILE
    over = documents.overrides(held.document, environment, flag.key) if held and is_filed else {}
    return documents.in_environment(flag.definition, over)


def _shown(written: Mapping[str, Any]) -> dict[str, Written]:
    return {path: Written(value=value, shown=_text(value)) for path, value in written.items()}


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LENGTH_SHOWN else text[: LENGTH_SHOWN - 1] + "…"


def _taken_over(service: str, wanted: ReadFile) -> list[Difference]:
    """Flags made in Steerway that the file defines from now on."""
    keys = list(wanted.document.get("flags", {}))
    found = Flag.objects.filter(
        service=service, key__in=keys, origin=Origin.STEERWAY.value, retired_at=None
    )
    return [
        Difference(
            f"flags.{one.key}",
            "defined in Steerway",
            f"defined in {wanted.file}",
            wanted.file,
            None,
        )
        for one in found
    ]


def _decided(one: Place) -> str:
    where = f"{one.flag.key} in {one.environment}"
    if one.is_off:
        return f"{where} stays off, whatever the file says: {one.off_reason}"
    if one.exposure:
        exposure = one.exposure
        return (
            f"{where} stays at {exposure['percent']:g} % {exposure['variant']}, as decided in "
            f"Steerway; `steerway flags restore {one.flag.service} {one.flag.key} --env "
            f"{one.environment}` lets the file hold again"
        )
    return ""
