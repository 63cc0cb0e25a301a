"""Writing the catalog."""

from dataclasses import dataclass

from steerway.planning.catalog import queries
from steerway.planning.catalog.errors import AlreadyPaused, NotPaused, OnOtherServer
from steerway.planning.catalog.models import Environment, Service
from steerway.planning.catalog.rules import Declared, Plan, State
from steerway.platform.work import Work

DIFFERENCES_LOGGED_MAX = 200  # a longer list says "new file"; the count is logged beside it


@dataclass(frozen=True, slots=True)
class Applied:
    """The service now, and what was different before."""

    service: Service
    plan: Plan


def apply(work: Work, declared: Declared) -> Applied:
    """Make the catalog say what the descriptor says. Applying it again changes nothing.

    A service lives on the server where it was applied first: that one has its files, carries
    out its deployments and keeps its replicas, whichever server is asked for them.

    Raises:
        OnOtherServer: it lives on another server.
    """
    work.allow("services.apply", on=declared.name)
    lock(declared.name)
    _refuse_elsewhere(work, declared.name)
    plan = queries.plan(declared)
    if not plan.is_changed:
        return Applied(queries.get(declared.name), plan)
    service = _write_service(work, declared)
    _write_environments(service, declared)
    work.record(
        "service.applied",
        service.name,
        service=service.name,
        digest=declared.digest,
        file=declared.file,
        is_new=plan.is_new,
        environments={name: str(effect) for name, effect in plan.effects.items()},
        differences=[one.as_json() for one in plan.differences[:DIFFERENCES_LOGGED_MAX]],
        differences_count=len(plan.differences),
    )
    return Applied(service, plan)


def pause(work: Work, service: Service, *, reason: str) -> Service:
    """Keep Steerway's hands off the service until it is resumed.

    Raises:
        AlreadyPaused: somebody has paused it before.
    """
    work.allow("services.pause", on=service.name)
    paused = Service.objects.filter(id=service.id, paused_at=None).update(
        paused_at=work.now, paused_by=work.actor.name, pause_reason=reason
    )
    service.refresh_from_db()
    if not paused:
        raise AlreadyPaused(service=service.name, by=service.paused_by, reason=service.pause_reason)
    work.record("service.paused", service.name, service=service.name, reason=reason)
    return service


def resume(work: Work, service: Service, *, reason: str = "") -> Service:
    """Let Steerway look after the service again.

    Raises:
        NotPaused: it is not paused.
    """
    work.allow("services.resume", on=service.name)
    resumed = Service.objects.filter(id=service.id, paused_at__isnull=False).update(
        paused_at=None, paused_by="", pause_reason=""
    )
    service.refresh_from_db()
    if not resumed:
        raise NotPaused(service=service.name)
    work.record("service.resumed", service.name, service=service.name, reason=reason)
    return service


def lock(name: str) -> None:
    """Have two who alter a service at once do it one after the other, until each commits."""
    list(Service.objects.select_for_update().filter(name=name).values_list("id"))


def _refuse_elsewhere(work: Work, name: str) -> None:
    for node in Service.objects.filter(name=name).exclude(node=work.node).values_list("node"):
        raise OnOtherServer(service=name, node=node[0])


def _write_service(work: Work, declared: Declared) -> Service:
    service, _ = Service.objects.update_or_create(
        name=declared.name,
        defaults={
            "description": declared.description,
            "owners": list(declared.owners),
            "state": State.ACTIVE.value,
            "file": declared.file,
            "text": declared.text,
            "written": declared.written,
            "digest": declared.digest,
            "applied_at": work.now,
            "applied_by": work.actor.name,
            "node": work.node,
        },
    )
    return service


def _write_environments(service: Service, declared: Declared) -> None:
    """What is no longer declared is retired, not deleted: its history stays."""
    names = [one.name for one in declared.environments]
    service.environments.exclude(name__in=names).update(state=State.RETIRED.value)
    for position, one in enumerate(declared.environments):
        Environment.objects.update_or_create(
            service=service,
            name=one.name,
            defaults={
                "position": position,
                "state": State.ACTIVE.value,
                "config_digest": one.digest,
                "resolved": one.resolved,
            },
        )
