"""Bringing the flags of a service together, and telling who sees more or less of what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from steerway.delivery.declarations import queries
from steerway.delivery.declarations.errors import RestUnclear
from steerway.delivery.declarations.models import Exposure, Flag, FlagDocument, FlagFile, Place
from steerway.delivery.declarations.rules import documents, exposing
from steerway.planning.catalog import actions as services
from steerway.planning.catalog import queries as catalog
from steerway.planning.changes import actions as changes
from steerway.planning.changes.models import Change
from steerway.planning.changes.rules import Kind
from steerway.platform.work import Work


@dataclass(frozen=True, slots=True)
class Target:
    """A flag in one environment, and why something is done to it."""

    service: str
    flag: str
    environment: str = ""
    why: str = ""
    emergency: bool = False


@dataclass(slots=True)
class _Scene:
    """What publishing needs of one service, read once."""

    work: Work
    service: str
    change: Change | None
    held: FlagFile | None
    flags: list[Flag]
    places: dict[tuple[str, str], Place] = field(default_factory=dict)


def proposed(
    work: Work, target: Target, summary: str, kind: Kind, facts: Mapping[str, Any] | None = None
) -> Change:
    """A change of a flag, opened.

    Raises:
        Held: a hold or a freeze is in force, and it is neither a rollback nor an emergency.
    """
    services.lock(target.service)
    intent = changes.Intent(
        kind=kind,
        service=target.service,
        environment=target.environment,
        summary=summary[:300],
        why=target.why,
        emergency=target.emergency,
        facts={"flag": target.flag, **(facts or {})},
    )
    return changes.propose(work, intent)


def publish(work: Work, service: str, change: Change | None) -> None:
    """Write the document of each environment anew where it is another, and who sees what.

    A variant that reaches more or fewer users than before is a release: it is recorded here,
    whatever was the cause.
    """
    services.lock(service)  # or a document could be written of what was true before another's
    environments = [one.name for one in catalog.environments(catalog.get(service))]
    scene = _Scene(work, service, change, queries.file(service), queries.all_of(service))
    if not scene.flags and not queries.has_documents(service):
        return
    places = Place.objects.filter(flag__in=scene.flags)
    places.exclude(environment__in=environments).delete()
    scene.places = {(one.flag.key, one.environment): one for one in places.select_related("flag")}
    FlagDocument.objects.filter(service=service).exclude(environment__in=environments).delete()
    for position, name in enumerate(environments):
        _write(
            scene, name, {flag.key: _settle(scene, flag, name, position) for flag in scene.flags}
        )


def _settle(scene: _Scene, flag: Flag, environment: str, position: int) -> dict[str, Any]:
    """One flag as it is in force in an environment, its share noted."""
    base = queries.defined(flag, environment, held=scene.held)
    place = scene.places.get((flag.key, environment))
    is_new = place is None
    place = place or Place(flag=flag, environment=environment, share=0.0)
    _drop_unfollowable(scene, place, base)
    found = documents.in_force(flag.key, base, place.decided)
    variant = exposing.main_variant(base)
    share = exposing.share(found, variant)
    before = place.share if variant == place.variant or is_new else None
    if is_new or (variant, share, position) != (place.variant, place.share, place.position):
        place.variant, place.share, place.position = variant, share, position
        place.full_since = scene.work.now if share == exposing.WHOLE else None
        place.save()
    if before != share:
        _release(scene, place, before)
    return found


def _drop_unfollowable(scene: _Scene, place: Place, base: Mapping[str, Any]) -> None:
    """An exposure that the rule of now has no place for is given up, and not in silence."""
    exposure = place.decided.exposure
    if exposure is None:
        return
    try:
        exposing.exposed(place.flag.key, base, exposure)
    except RestUnclear as error:
        place.exposure = None
        place.save()
        _say(scene.work, place, "restored", reason=str(error))


def _release(scene: _Scene, place: Place, before: float | None) -> None:
    Exposure.objects.create(
        service=scene.service,
        environment=place.environment,
        flag=place.flag.key,
        variant=place.variant,
        before=before,
        after=place.share,
        change=scene.change,
        by=scene.work.actor.name,
        at=scene.work.now,
    )
    _say(
        scene.work,
        place,
        "exposed",
        variant=place.variant,
        before=before,
        after=place.share,
        note="" if place.share is None else f"{place.share:g} % of users have {place.variant}",
        change=scene.change.ref if scene.change else "",
    )


def _write(scene: _Scene, environment: str, flags: Mapping[str, Mapping[str, Any]]) -> None:
    held = scene.held.document if scene.held else {}
    shared = {**held.get("metadata", {}), "service": scene.service, "environment": environment}
    text = documents.document(flags, held.get("$evaluators", {}), shared)
    etag = documents.etag(text)
    old = queries.document(scene.service, environment)
    if old is not None and old.etag == etag:
        return
    FlagDocument.objects.update_or_create(
        service=scene.service,
        environment=environment,
        defaults={"text": text, "etag": etag, "changed_at": scene.work.now},
    )


def _say(work: Work, place: Place, what: str, **data: object) -> None:
    work.record(
        f"flag.{what}",
        place.flag.key,
        service=place.flag.service,
        environment=place.environment,
        **data,
    )
