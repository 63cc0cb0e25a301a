"""Reading deployments."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KeyTransform

from steerway.delivery.deployments.errors import DeploymentUnknown, NeverServed, NothingToRollBack
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import State, Step, Strategy
from steerway.delivery.releases import queries as releases
from steerway.delivery.releases.models import Release
from steerway.platform.numbers.rules import number_of

ROWS_MAX = 200
# Versions named in a refusal; more would not be read.
KNOWN_MAX = 5
UNRESOLVED = (State.FAILED.value, State.ROLLED_BACK.value)


def get(ref: str) -> Deployment:
    """One deployment by `DEP-12` or `12`.

    Raises:
        DeploymentUnknown: there is none.
    """
    number = number_of(ref)
    found = _all().filter(number=number).first() if number is not None else None
    if found is None:
        raise DeploymentUnknown(ref=ref)
    return found


def by_id(deployment_id: UUID | str) -> Deployment:
    """The deployment that a workflow is about."""
    return _all().get(id=deployment_id)


def by_ids(ids: Iterable[UUID]) -> list[Deployment]:
    """These deployments, in one query."""
    return list(_all().filter(id__in=list(ids)))


def newest(
    *,
    service: str = "",
    environment: str = "",
    state: str = "",
    before: int | None = None,
    rows: int = 50,
) -> list[Deployment]:
    """Deployments, newest first, older than the number `before`."""
    found = _listed()
    if state:
        found = found.filter(state=state)
    if service:
        found = found.filter(service=service)
    if environment:
        found = found.filter(environment=environment)
    if before is not None:
        found = found.filter(number__lt=before)
    return list(found.order_by("-number")[: min(rows, ROWS_MAX)])


def switched_between(
    start: datetime, end: datetime, *, service: str = "", environment: str = "", rows: int = 50
) -> list[Deployment]:
    """Deployments that took over within a time, newest first."""
    found = _listed().filter(switched_at__gte=start, switched_at__lte=end)
    if service:
        found = found.filter(service=service)
    if environment:
        found = found.filter(environment=environment)
    return list(found.order_by("-number")[: min(rows, ROWS_MAX)])


def running(service: str = "", environment: str = "") -> list[Deployment]:
    """Deployments whose workflow has something to do, oldest first."""
    found = _all().filter(state=State.RUNNING.value)
    if service:
        found = found.filter(service=service)
    if environment:
        found = found.filter(environment=environment)
    return list(found.order_by("number")[:ROWS_MAX])


def running_of(services: QuerySet[Any, str]) -> list[Deployment]:
    """Deployments of these services whose workflow has something to do, oldest first."""
    found = _all().filter(state=State.RUNNING.value, service__in=services)
    return list(found.order_by("number")[:ROWS_MAX])


def is_settled(deployment: Deployment) -> bool:
    """Whether what served before may be gone already, so that there is no way back."""
    return deployment.steps.filter(name=Step.RETIRE.value, started_at__isnull=False).exists()


def busy_places() -> set[tuple[str, str]]:
    """Every service and environment in which a deployment is at work."""
    found = Deployment.objects.filter(state=State.RUNNING.value).order_by()
    return set(found.values_list("service", "environment"))


def serving(service: str, environment: str) -> Deployment | None:
    """The deployment that has the traffic: the newest that succeeded. None before the first."""
    return _all().filter(service=service, environment=environment, serves=True).first()


def all_serving(services: Iterable[str] | None = None) -> list[Deployment]:
    """What serves everywhere, one deployment per service and environment, in one query."""
    found = _listed("release").filter(serves=True)
    if services is not None:
        found = found.filter(service__in=list(services))
    return list(found.order_by("service", "number"))


def serving_by(strategy: Strategy) -> list[Deployment]:
    """What serves and came that way, in one query."""
    return list(_listed("release").filter(serves=True, strategy=strategy.value)[:ROWS_MAX])


def serving_ids() -> QuerySet[Any]:
    """The ids of all that serves, for another query to choose by; nothing is read yet."""
    return Deployment.objects.filter(serves=True).order_by().values("id")


def replicas_planned(deployments: Iterable[Deployment]) -> dict[UUID, int]:
    """How many replicas each of these runs, whatever its descriptor says by now: in one query."""
    found = Deployment.objects.filter(id__in=[one.id for one in deployments])
    planned = KeyTransform("replicas", KeyTransform("run", "plan"))
    return {one: int(count) for one, count in found.values_list("id", planned)}


def unresolved(*, rows: int = 20) -> list[Deployment]:
    """What failed or was rolled back with nothing after it in its environment, newest first."""
    later = Deployment.objects.filter(
        service=OuterRef("service"),
        environment=OuterRef("environment"),
        number__gt=OuterRef("number"),
    )
    found = _listed().filter(state__in=UNRESOLVED).exclude(Exists(later))
    return list(found.order_by("-number")[:rows])


def of_release(release_id: UUID, *, rows: int = 50) -> list[Deployment]:
    """Deployments of one release, newest first."""
    return list(_listed().filter(release_id=release_id).order_by("-number")[:rows])


def of_same(deployment: Deployment, release: Release) -> list[Deployment]:
    """Earlier deployments of a release to the same place with the same configuration."""
    found = _listed().filter(
        service=deployment.service,
        environment=deployment.environment,
        release=release,
        config_digest=deployment.config_digest,
        number__lt=deployment.number,
    )
    return list(found.order_by("-number")[:ROWS_MAX])


def last_good(service: str, environment: str) -> Deployment:
    """The deployment to return to: it served, nobody rolled back from it, and it differs.

    Raises:
        NothingToRollBack: there is none whose files are still here.
    """
    now = serving(service, environment)
    if now is not None:
        for candidate in _returnable(now):
            return candidate
    raise NothingToRollBack(service=service, environment=environment)


def earlier(service: str, environment: str, release: str) -> Deployment:
    """The newest deployment that served `release`, by name, commit or digest.

    Raises:
        NeverServed: it has not served here, or its files are gone.
    """
    now = serving(service, environment)
    candidates = _returnable(now) if now else []
    for candidate in candidates:
        if candidate.release and releases.is_called(candidate.release, release):
            return candidate
    known = dict.fromkeys(c.version for c in candidates)
    raise NeverServed(
        release=release,
        service=service,
        environment=environment,
        known=", ".join(list(known)[:KNOWN_MAX]) or "none",
    )


def protected_releases(service: str) -> set[UUID]:
    """Releases that must stay on disk: what serves, what is deploying, what a rollback takes.

    All of them, while a deployment has not taken its release yet: it may be any.
    """
    taken = _all().filter(service=service, state=State.RUNNING.value)
    kept = set(taken.values_list("release_id", flat=True))
    if None in kept:
        return {release.id for release in releases.present(service)}
    environments = _all().filter(service=service).values_list("environment", flat=True)
    for environment in environments.order_by().distinct():
        now = serving(service, environment)
        if now is not None:
            kept |= {d.release_id for d in [now, *_returnable(now)[:1]] if d.release_id}
    return kept


def _returnable(now: Deployment) -> list[Deployment]:
    """Deployments one could return to from `now`, newest first."""
    found = _succeeded(now.service, now.environment).filter(
        number__lt=now.number, bad_at=None, release__removed_at=None
    )
    return [
        d
        for d in found[:ROWS_MAX]
        if (d.release_id, d.config_digest) != (now.release_id, now.config_digest)
    ]


def _succeeded(service: str, environment: str) -> QuerySet[Deployment]:
    return (
        _all()
        .filter(service=service, environment=environment, state=State.SUCCEEDED.value)
        .order_by("-number")
    )


def _listed(*joined: str) -> QuerySet[Deployment]:
    """Deployments without what no list shows; reading those texts takes most of a page's time."""
    names = joined or ("release", "change")
    unread = {"release": "release__notes", "change": "change__facts"}
    found = Deployment.objects.select_related(*names)
    return found.defer("plan", *(unread[name] for name in names))


def _all() -> QuerySet[Deployment]:
    return Deployment.objects.select_related("release", "change")
