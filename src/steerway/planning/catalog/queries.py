"""Reading the catalog."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.db.models.fields.json import KeyTransform

from steerway.planning.catalog.errors import EnvironmentUnknown, ServiceUnknown
from steerway.planning.catalog.models import Environment, Service
from steerway.planning.catalog.rules import Declared, Difference, Plan, State, diff, effects

SERVICES_MAX = 10_000  # ten times what one installation is built for


def get(name: str) -> Service:
    """One service.

    Raises:
        ServiceUnknown: the catalog has none of that name.
    """
    found = Service.objects.filter(name=name).first()
    if found is None:
        raise ServiceUnknown(service=name)
    return found


def all(*, after: str = "", containing: str = "", rows: int = SERVICES_MAX) -> list[Service]:
    """Services in use by name, their environments at hand; `after` continues a page.

    Shape: two queries, however many rows. The texts and values of descriptors are left out;
    `sections` has what a list needs of them.
    """
    services = _listed().filter(name__gt=after)
    if containing:
        services = services.filter(name__contains=containing)
    return list(services[: min(rows, SERVICES_MAX)])


def named(names: Iterable[str]) -> list[Service]:
    """These services as `all` gives them; those not in use are left out."""
    return list(_listed().filter(name__in=list(names)))


def sections(services: Iterable[str], name: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    """One section in force, by service and environment; absent where it is not declared.

    Shape: one query; the database picks the section out of everything that is in force.
    """
    found = Environment.objects.filter(state=State.ACTIVE.value, service__name__in=list(services))
    rows = found.values_list("service__name", "name", KeyTransform(name, "resolved"))
    return {(service, environment): section for service, environment, section in rows if section}


def living_on(node: str) -> QuerySet[Service, str]:
    """The names of the services that live on this server, for another query to choose by too."""
    return Service.objects.filter(node=node).order_by().values_list("name", flat=True)


def count() -> int:
    """How many services are in use."""
    return Service.objects.filter(state=State.ACTIVE.value).count()


def paused(*, rows: int = 50) -> list[Service]:
    """Services that Steerway keeps its hands off, the newest pause first."""
    found = Service.objects.filter(state=State.ACTIVE.value, paused_at__isnull=False)
    return list(found.defer("text", "written").order_by("-paused_at")[:rows])


def paused_names() -> set[str]:
    """The names of all services that Steerway keeps its hands off."""
    found = Service.objects.filter(paused_at__isnull=False)
    return set(found.order_by().values_list("name", flat=True))


def environments(service: Service) -> list[Environment]:
    """The environments a service declares, in order."""
    return list(_active().filter(service=service))


def environment(service: Service, name: str) -> Environment:
    """One environment of a service; the last one, usually production, when no name is given.

    Raises:
        EnvironmentUnknown: the service declares none of that name.
    """
    declared = environments(service)
    found = [one for one in declared if one.name == name] if name else declared[-1:]
    if not found:
        known = ", ".join(one.name for one in declared) or "none"
        raise EnvironmentUnknown(service=service.name, environment=name, known=known)
    return found[0]


def plan(declared: Declared) -> Plan:
    """What applying `declared` would change. Nothing, when all that is in force stays equal."""
    service = Service.objects.filter(name=declared.name).first()
    new = {one.name: one.digest for one in declared.environments}
    if service is None:
        found = diff({}, declared.written, lines=declared.lines, file=declared.file)
        return Plan(
            declared.name,
            is_new=True,
            is_changed=True,
            differences=tuple(found),
            effects=effects({}, new),
        )
    old = {one.name: one.config_digest for one in environments(service)}
    is_changed = service.digest != declared.digest or service.state != State.ACTIVE
    return Plan(
        declared.name,
        is_new=False,
        is_changed=is_changed,
        differences=tuple(_differences(service, declared)) if is_changed else (),
        effects=effects(old, new),
    )


def _differences(service: Service, declared: Declared) -> list[Difference]:
    """What was written differently; a default that has changed with Steerway is its own line."""
    found = diff(service.written, declared.written, lines=declared.lines, file=declared.file)
    if found or service.digest == declared.digest:
        return found
    return [Difference("defaults", "as of before", "as of this version", declared.file, None)]


def _listed() -> QuerySet[Service]:
    """Services in use by name, as lists need them."""
    listed = _active().defer("resolved")
    active = Prefetch("environments", queryset=listed, to_attr="active_environments")
    found = Service.objects.filter(state=State.ACTIVE.value).defer("text", "written")
    return found.order_by("name").prefetch_related(active)


def _active() -> QuerySet[Environment]:
    return Environment.objects.filter(state=State.ACTIVE.value).order_by("position")
