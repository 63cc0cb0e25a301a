"""What needs somebody now."""

from collections.abc import Iterator, Sequence

from steerway.control.bridge.rules import Need, in_order
from steerway.control.installation.queries import Part
from steerway.control.services.queries import Overview
from steerway.control.services.rules import Lane, State
from steerway.delivery.analyses import queries as analyses
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import State as Ended
from steerway.planning.catalog import queries as catalog
from steerway.planning.changes import queries as changes
from steerway.planning.changes.rules import Brake

NEEDS_MAX = 20
TROUBLE = {
    State.CRASH_LOOP: ("bad", "is in a crash loop"),
    State.DOWN: ("bad", "has no replica that runs"),
    State.DEGRADED: ("warn", "has fewer replicas than it should"),
}


def needs(troubled: Sequence[Overview], parts: Sequence[Part]) -> list[Need]:
    """Everything that waits for somebody, the worst first; `troubled` from the services' queries.

    Shape: five queries.
    """
    found = [*_failed(), *_waiting(), *_brakes(), *_paused(), *_troubled(troubled)]
    if deployments.serving_ids().exists():
        found += _parts(parts)
    return in_order(found)[:NEEDS_MAX]


def _failed() -> Iterator[Need]:
    for one in deployments.unresolved(rows=NEEDS_MAX):
        yield Need(
            tone="bad",
            icon="deployments",
            title=_failure(one),
            detail=one.error.partition("\n")[0],
            kind="deployment",
            name=one.ref,
            at=one.ended_at,
            by=one.requested_by,
        )


def _failure(one: Deployment) -> str:
    if one.state == Ended.ROLLED_BACK:
        return f"{one.service} {one.version} was rolled back from {one.environment}"
    return f"{one.service} {one.version} did not reach {one.environment}"


def _waiting() -> Iterator[Need]:
    """Canaries that go on only when somebody says so."""
    for one in analyses.waiting(rows=NEEDS_MAX):
        step = f"{one.waits_for:g} %" if one.waits_for is not None else ""
        words = f"is paused at {one.percent:g} %" if one.paused_by else f"waits for its {step}"
        yield Need(
            tone="warn",
            icon="pause" if one.paused_by else "hold",
            title=f"{one.service} {one.version} {words} in {one.environment}",
            detail=one.reasons[0] if one.reasons else "",
            kind="canary",
            name=one.ref,
            at=one.stage_at,
            by=one.paused_by,
        )


def _brakes() -> Iterator[Need]:
    for one in changes.open_holds():
        is_freeze = one.brake == Brake.FREEZE
        yield Need(
            tone="warn",
            icon="freeze" if is_freeze else "hold",
            title="Changes are frozen" if is_freeze else f"{one.service} is on hold",
            detail=one.reason,
            kind="hold",
            name=one.ref,
            at=one.placed_at,
            by=one.placed_by,
        )


def _paused() -> Iterator[Need]:
    for one in catalog.paused(rows=NEEDS_MAX):
        yield Need(
            tone="warn",
            icon="pause",
            title=f"{one.name} is paused",
            detail=one.pause_reason,
            kind="service",
            name=one.name,
            at=one.paused_at,
            by=one.paused_by,
        )


def _troubled(overviews: Sequence[Overview]) -> Iterator[Need]:
    for one in overviews:
        for lane in one.lanes:
            if lane.state in TROUBLE:
                yield _trouble(one.service.name, lane)


def _parts(parts: Sequence[Part]) -> Iterator[Need]:
    """Parts that do not answer; nobody misses them before something is deployed."""
    for one in parts:
        if one.state == "down":
            yield Need(
                tone="bad",
                icon="route",
                title=f"{one.name} does not answer",
                detail=f"It {one.words}. Steerway starts it again; see its log if this stays.",
                kind="part",
                name=one.name,
                at=None,
            )


def _trouble(service: str, lane: Lane) -> Need:
    tone, words = TROUBLE[lane.state]
    return Need(
        tone=tone,
        icon="pulse",
        title=f"{service} in {lane.name} {words}",
        detail=f"{lane.up} of {lane.wanted} replicas do their work",
        kind="service",
        name=service,
        at=None,
    )
