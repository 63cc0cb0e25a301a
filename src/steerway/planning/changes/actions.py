"""Opening and closing changes, holding and freezing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from steerway.planning.changes import queries
from steerway.planning.changes.errors import AlreadyFrozen, HoldUnknown, NotFrozen, ReasonMissing
from steerway.planning.changes.models import Change, Hold
from steerway.planning.changes.rules import Brake, Kind, State
from steerway.platform.numbers import actions as numbers
from steerway.platform.work import Work


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody is about to alter, and why."""

    kind: Kind
    service: str
    summary: str
    environment: str = ""
    why: str = ""
    emergency: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)


def propose(work: Work, intent: Intent) -> Change:
    """Open a change.

    Raises:
        Held: a hold or a freeze is in force, and it is neither a rollback nor an emergency.
        ReasonMissing: an emergency without a reason.
        Forbidden: an emergency by somebody who may not lift holds either.
    """
    if intent.emergency:
        work.allow("changes.override", on=intent.service)
        if not intent.why.strip():
            raise ReasonMissing
    elif intent.kind is not Kind.ROLLBACK:
        queries.refuse_if_held(intent.service)
    return _open(work, intent)


def note(work: Work, intent: Intent, *, outcome: str) -> Change:
    """Record a change that is made in the same transaction, such as an applied descriptor."""
    change = _open(work, intent)
    close(work, change, state=State.IMPLEMENTED, outcome=outcome)
    return change


def close(work: Work, change: Change, *, state: State, outcome: str = "") -> bool:
    """Close an open change with its outcome; False when it was closed already."""
    closed = Change.objects.filter(id=change.id, state=State.OPEN.value).update(
        state=state.value, closed_at=work.now, outcome=outcome
    )
    if closed:
        work.record(
            f"change.{state.value}",
            change.ref,
            service=change.service,
            environment=change.environment,
            outcome=outcome,
        )
    return bool(closed)


def hold(work: Work, *, service: str, reason: str) -> Hold:
    """Keep changes of `service` from starting until the hold is lifted."""
    work.allow("changes.hold", on=service)
    return _place(work, Brake.HOLD, service=service, reason=reason)


def lift(work: Work, held: Hold) -> None:
    """End a hold.

    Raises:
        HoldUnknown: somebody else has lifted it.
    """
    work.allow("changes.hold" if held.brake == Brake.HOLD else "changes.freeze", on=held.service)
    lifted = Hold.objects.filter(id=held.id, lifted_at=None).update(
        lifted_at=work.now, lifted_by=work.actor.name
    )
    if not lifted:
        raise HoldUnknown(ref=held.ref)
    work.record(f"{_noun(held)}.lifted", held.ref, service=held.service, reason=held.reason)


def freeze(work: Work, *, reason: str) -> Hold:
    """Keep every change from starting, except emergencies and rollbacks.

    Raises:
        AlreadyFrozen: a freeze is in force.
    """
    work.allow("changes.freeze")
    try:
        with transaction.atomic():
            return _place(work, Brake.FREEZE, service="", reason=reason)
    except IntegrityError as error:
        frozen = queries.freeze()
        if frozen is None:
            raise
        raise AlreadyFrozen(reason=frozen.reason, ref=frozen.ref, by=frozen.placed_by) from error


def thaw(work: Work) -> None:
    """End the freeze.

    Raises:
        NotFrozen: there is none.
    """
    work.allow("changes.freeze")
    frozen = queries.freeze()
    if frozen is None:
        raise NotFrozen
    lift(work, frozen)


def _place(work: Work, brake: Brake, *, service: str, reason: str) -> Hold:
    held = Hold.objects.create(
        number=numbers.take("hold"),
        brake=brake.value,
        service=service,
        reason=reason,
        placed_by=work.actor.name,
        placed_at=work.now,
    )
    work.record(f"{_noun(held)}.placed", held.ref, service=service, reason=reason)
    return held


def _noun(held: Hold) -> str:
    return "freeze" if held.brake == Brake.FREEZE else "hold"


def _open(work: Work, intent: Intent) -> Change:
    change = Change.objects.create(
        number=numbers.take("change"),
        kind=intent.kind.value,
        service=intent.service,
        environment=intent.environment,
        summary=intent.summary,
        why=intent.why,
        emergency=intent.emergency,
        requested_by=work.actor.name,
        opened_at=work.now,
        facts=dict(intent.facts),
    )
    work.record(
        "change.opened",
        change.ref,
        service=change.service,
        environment=change.environment,
        kind=change.kind,
        summary=change.summary,
        why=change.why,
        emergency=change.emergency,
    )
    return change
