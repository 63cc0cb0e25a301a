"""Writing down where rollouts are. What a step does to the flag is the flag's business."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from steerway.delivery.rollouts import queries
from steerway.delivery.rollouts.errors import RolloutRunning
from steerway.delivery.rollouts.models import Rollout
from steerway.delivery.rollouts.rules import RolloutState, Step
from steerway.planning.changes.models import Change
from steerway.platform.work import Work


@dataclass(frozen=True, slots=True)
class Course:
    """What is rolled out, where, and how far when."""

    service: str
    environment: str
    flag: str
    variant: str
    steps: Sequence[Step]
    begins_at: datetime


def start(work: Work, course: Course, change: Change) -> Rollout:
    """A rollout whose first step is due when it begins.

    Raises:
        RolloutRunning: the flag is being rolled out there already.
    """
    rollout = Rollout(
        service=course.service,
        environment=course.environment,
        flag=course.flag,
        variant=course.variant,
        steps=[one.as_json() for one in course.steps],
        next_at=course.begins_at + course.steps[0].wait,
        change=change,
        started_by=work.actor.name,
        started_at=work.now,
    )
    try:
        with transaction.atomic():
            rollout.save(force_insert=True)
    except IntegrityError as error:
        other = queries.running(course.service, course.environment, course.flag)
        if other is None:
            raise
        raise RolloutRunning(
            flag=course.flag, environment=course.environment, change=other.change.ref
        ) from error
    said = ", ".join(map(str, course.steps))
    _say(work, rollout, "started", steps=said, note=said, change=change.ref)
    return rollout


def advance(work: Work, rollout: Rollout) -> Step | None:
    """The step that is taken now, or None when somebody else has taken it.

    Whoever moves the row takes the step, so it is taken once, whatever crashes or runs beside it.
    """
    step = rollout.plan[rollout.position]
    later = rollout.plan[rollout.position + 1 :]
    moved = Rollout.objects.filter(
        id=rollout.id, state=RolloutState.RUNNING.value, position=rollout.position
    ).update(
        position=rollout.position + 1,
        next_at=work.now + later[0].wait if later else None,
        state=(RolloutState.RUNNING if later else RolloutState.DONE).value,
        waits_for="",
        ended_at=None if later else work.now,
    )
    if not moved:
        return None
    _say(work, rollout, "stepped", percent=step.percent, note=f"to {step.percent:g} %")
    if not later:
        _say(work, rollout, "done", percent=step.percent)
    return step


def wait(work: Work, rollout: Rollout, *, reason: str) -> None:
    """Note what a due step waits for, once."""
    rows = Rollout.objects.filter(id=rollout.id, state=RolloutState.RUNNING.value)
    if rows.exclude(waits_for=reason).update(waits_for=reason):
        _say(work, rollout, "waiting", reason=reason)


def stop(work: Work, rollout: Rollout, *, reason: str) -> bool:
    """Have a rollout take no more steps; False when it had ended before."""
    stopped = Rollout.objects.filter(id=rollout.id, state=RolloutState.RUNNING.value).update(
        state=RolloutState.STOPPED.value, ended_at=work.now, next_at=None, waits_for=""
    )
    if stopped:
        _say(work, rollout, "stopped", reason=reason)
    return bool(stopped)


def _say(work: Work, rollout: Rollout, what: str, **data: object) -> None:
    work.record(
        f"rollout.{what}",
        rollout.flag,
        service=rollout.service,
        environment=rollout.environment,
        variant=rollout.variant,
        **data,
    )
