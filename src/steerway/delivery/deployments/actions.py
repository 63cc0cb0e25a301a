"""Starting, steering and ending deployments. The workflow does the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from django.db import IntegrityError, transaction
from django.db.models import Q

from steerway.delivery.analyses import queries as analyses
from steerway.delivery.analyses.rules.words import State as Found
from steerway.delivery.deployments import queries
from steerway.delivery.deployments.errors import (
    Busy,
    Ended,
    NotDark,
    NothingBeside,
    Paused,
    TooLate,
)
from steerway.delivery.deployments.models import Deployment, DeploymentStep
from steerway.delivery.deployments.rules import (
    Kind,
    State,
    Step,
    StepState,
    Strategy,
    itinerary,
)
from steerway.delivery.releases.models import Release
from steerway.planning.catalog import queries as catalog
from steerway.planning.catalog.models import Service
from steerway.planning.changes import actions as changes
from steerway.planning.changes.rules import Kind as ChangeKind
from steerway.planning.changes.rules import State as ChangeState
from steerway.platform.db import new_id
from steerway.platform.numbers import actions as numbers
from steerway.platform.work import Work

WORKFLOW = "deployment"
NOTHING: Mapping[str, object] = MappingProxyType({})
NOTE_LENGTH_MAX = 300
OUTCOMES: Mapping[State, ChangeState] = {
    State.SUCCEEDED: ChangeState.IMPLEMENTED,
    State.UNCHANGED: ChangeState.IMPLEMENTED,
    State.ROLLED_BACK: ChangeState.FAILED,
    State.FAILED: ChangeState.FAILED,
    State.CANCELLED: ChangeState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants deployed, and why."""

    service: str
    environment: str
    ref: str = ""
    why: str = ""
    emergency: bool = False
    force: bool = False
    dark: bool = False


@dataclass(frozen=True, slots=True)
class _Draft:
    kind: Kind
    wish: Wish
    plan: Mapping[str, object]
    config_digest: str
    strategy: Strategy
    release: Release | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def start(work: Work, wish: Wish) -> Deployment:
    """Begin to deploy a version with the configuration in force now.

    Raises:
        Held: changes of the service are on hold, or frozen.
        Paused: somebody has put the brake on the service.
        Busy: another deployment of the service runs in this environment.
        NotDark: its strategy has no step before the first user.
        NothingBeside: it is dark, and the first in its place.
    """
    work.allow("deployments.start", on=f"{wish.service}/{wish.environment}")
    service = catalog.get(wish.service)
    environment = catalog.environment(service, wish.environment)
    _refuse_if_paused(service)
    plan = environment.resolved
    if wish.dark and plan["release"]["strategy"] != Strategy.CANARY:
        raise NotDark(service=service.name, strategy=plan["release"]["strategy"])
    if wish.dark and queries.serving(service.name, wish.environment) is None:
        raise NothingBeside(service=service.name, environment=wish.environment)
    draft = _Draft(
        kind=Kind.DEPLOY,
        wish=wish,
        plan=plan,
        config_digest=environment.config_digest,
        strategy=Strategy(plan["release"]["strategy"]),
        facts={"ref": wish.ref or plan["source"]["ref"]},
    )
    return _begin(work, draft)


def rollback(work: Work, wish: Wish) -> Deployment:
    """Begin to return to `wish.ref`, or to the last good release, with its configuration.

    Holds do not stop it: it restores.

    Raises:
        NothingToRollBack: nothing good is left to return to.
        NeverServed: the version named has not served here.
        Busy: another deployment of the service runs in this environment.
    """
    work.allow("deployments.rollback", on=f"{wish.service}/{wish.environment}")
    service = catalog.get(wish.service)
    catalog.environment(service, wish.environment)
    goal = (
        queries.earlier(service.name, wish.environment, wish.ref)
        if wish.ref
        else queries.last_good(service.name, wish.environment)
    )
    draft = _Draft(
        kind=Kind.ROLLBACK,
        wish=wish,
        plan=goal.plan,
        config_digest=goal.config_digest,
        strategy=Strategy.BLUE_GREEN,  # The quickest way back.
        release=goal.release,
        facts={"returns_to": goal.ref, "release": goal.version},
    )
    return _begin(work, draft)


def cancel(work: Work, deployment: Deployment) -> None:
    """Ask a running deployment to stop and undo what it started.

    Raises:
        Ended: it is over.
        TooLate: users have been moved already.
    """
    work.allow("deployments.cancel", on=deployment.ref)
    # Users of a canary are moved back as quickly as they were moved, until it has earned them.
    asked = (
        Deployment.objects.filter(id=deployment.id, state=State.RUNNING.value, cancelled_by="")
        .filter(Q(switched_at=None) | Q(id__in=analyses.running_ids()))
        .update(cancelled_by=work.actor.name)
    )
    if asked:
        _say(work, deployment, "cancel-requested")
        return
    now = queries.by_id(deployment.id)
    if not now.is_running:
        raise Ended(ref=now.ref, state=now.state)
    if now.switched_at:
        raise TooLate(ref=now.ref, service=now.service)


def enter(work: Work, deployment: Deployment, step: Step) -> None:
    """Note that a step has begun; beginning again keeps the first moment."""
    deployment.steps.filter(name=step.value, started_at=None).update(
        state=StepState.RUNNING.value, started_at=work.now
    )
    deployment.steps.filter(name=step.value, state=StepState.DONE.value).update(
        state=StepState.RUNNING.value, ended_at=None
    )


def leave(
    work: Work,
    deployment: Deployment,
    step: Step,
    *,
    note: str = "",
    facts: Mapping[str, object] = NOTHING,
) -> None:
    """Note that a step is done, and say so in the log once, with facts for machines."""
    done = deployment.steps.filter(name=step.value, state=StepState.RUNNING.value).update(
        state=StepState.DONE.value, ended_at=work.now, note=note[:NOTE_LENGTH_MAX]
    )
    if done:
        _say(work, deployment, f"{step.value}-done", note=note, **facts)


def take_release(work: Work, deployment: Deployment, release: Release) -> None:
    """Note what was built for the deployment."""
    Deployment.objects.filter(id=deployment.id).update(release=release)


def switched(work: Work, deployment: Deployment) -> bool:
    """Note that users are about to reach it; False when it was cancelled just before.

    A cancel and a switch race for the same row: whichever comes first wins.
    """
    Deployment.objects.filter(
        id=deployment.id, switched_at=None, cancelled_by="", state=State.RUNNING.value
    ).update(switched_at=work.now)
    return queries.by_id(deployment.id).switched_at is not None


def finish(
    work: Work, deployment: Deployment, *, unchanged: bool = False, problem: str = ""
) -> bool:
    """End a deployment well; False when it had ended before.

    `problem` is what went wrong once all traffic had moved, in the step that is not done.
    """
    state = State.UNCHANGED if unchanged else State.SUCCEEDED
    if not _end(work, deployment, state):
        return False
    deployment.steps.filter(state=StepState.RUNNING.value).update(
        state=(StepState.DONE if unchanged else StepState.FAILED).value,
        ended_at=work.now,
        note=problem[:NOTE_LENGTH_MAX],
    )
    if unchanged:
        deployment.steps.filter(state=StepState.WAITING.value).update(state=StepState.SKIPPED.value)
    if deployment.kind == Kind.ROLLBACK:
        _condemn(work, deployment)
    return True


def note_error(work: Work, deployment: Deployment, *, error: str, log_tail: str) -> None:
    """Keep why it is about to be taken back, whatever happens on the way."""
    Deployment.objects.filter(id=deployment.id, state=State.RUNNING.value).update(
        error=error, log_tail=log_tail
    )


def fail(work: Work, deployment: Deployment, *, error: str, log_tail: str = "") -> bool:
    """End a deployment that did not come up, or was cancelled; False when it had ended before."""
    state = _ending(deployment)
    deployment.steps.filter(state=StepState.RUNNING.value).update(
        state=StepState.FAILED.value, ended_at=work.now
    )
    deployment.steps.filter(state=StepState.WAITING.value).update(state=StepState.SKIPPED.value)
    fields = {"error": error} | ({"log_tail": log_tail} if log_tail else {})
    return _end(work, deployment, state, **fields)


def _ending(deployment: Deployment) -> State:
    """How a deployment ends that is taken back."""
    analysis = analyses.of(deployment.id)
    if analysis is not None and analysis.state == Found.WORSE:
        return State.ROLLED_BACK
    return State.CANCELLED if queries.by_id(deployment.id).cancelled_by else State.FAILED


def _begin(work: Work, draft: _Draft) -> Deployment:
    wish = draft.wish
    verb = "Deploy" if draft.kind is Kind.DEPLOY else "Roll back to"
    asked = wish.ref or (draft.release.name if draft.release else str(draft.facts["ref"]))
    change = changes.propose(
        work,
        changes.Intent(
            kind=ChangeKind.DEPLOYMENT if draft.kind is Kind.DEPLOY else ChangeKind.ROLLBACK,
            service=wish.service,
            environment=wish.environment,
            summary=f"{verb} {asked} in {wish.environment}",
            why=wish.why,
            emergency=wish.emergency,
            facts=draft.facts,
        ),
    )
    deployment = Deployment(
        id=new_id(),
        number=numbers.take("deployment"),
        kind=draft.kind.value,
        service=wish.service,
        environment=wish.environment,
        change=change,
        ref_asked=asked,
        force=wish.force,
        dark=wish.dark,
        strategy=draft.strategy.value,
        plan=dict(draft.plan),
        config_digest=draft.config_digest,
        release=draft.release,
        previous=queries.serving(wish.service, wish.environment),
        requested_by=work.actor.name,
        requested_at=work.now,
    )
    _insert(deployment)
    DeploymentStep.objects.bulk_create(
        DeploymentStep(deployment=deployment, position=position, name=step.value)
        for position, step in enumerate(_steps(deployment))
    )
    _say(work, deployment, "requested", ref=asked, change=change.ref, strategy=deployment.strategy)
    work.start(WORKFLOW, deployment.id)
    return deployment


def _steps(deployment: Deployment) -> list[Step]:
    """The steps it takes, each once however often it is repeated."""
    plan = itinerary(Strategy(deployment.strategy), deployment.replica_count)
    return list(dict.fromkeys(step for step, _ in plan))


def _insert(deployment: Deployment) -> None:
    """The unique constraint is the lock: two who ask at once get one deployment and one no."""
    try:
        with transaction.atomic():
            deployment.save(force_insert=True)
    except IntegrityError as error:
        for other in queries.running(deployment.service, deployment.environment):
            raise Busy(
                ref=other.ref, service=other.service, environment=other.environment
            ) from error
        raise


def _end(work: Work, deployment: Deployment, state: State, **fields: str) -> bool:
    ended = Deployment.objects.filter(id=deployment.id, state=State.RUNNING.value).update(
        state=state.value, ended_at=work.now, **fields
    )
    if not ended:
        return False
    if state is State.SUCCEEDED:
        _take_place(deployment)
    now = queries.by_id(deployment.id)
    error = fields.get("error", "")
    seconds = round((work.now - now.requested_at).total_seconds(), 3)
    changes.close(work, now.change, state=OUTCOMES[state], outcome=error or _outcome(now))
    _say(work, now, state.value, release=now.version, seconds=str(seconds), error=error)
    return True


def _take_place(deployment: Deployment) -> None:
    """The traffic of a place belongs to one deployment: first none has it, then this one."""
    place = Deployment.objects.filter(
        service=deployment.service, environment=deployment.environment
    )
    place.filter(serves=True).update(serves=False)
    place.filter(id=deployment.id).update(serves=True)


def _condemn(work: Work, rollback: Deployment) -> None:
    """What was left is not returned to, nor is any other deployment of the same to this place."""
    left = rollback.previous
    assert left is not None, "there is no rollback where nothing serves"
    Deployment.objects.filter(
        service=left.service,
        environment=left.environment,
        release=left.release_id,
        config_digest=left.config_digest,
        bad_at=None,
    ).update(bad_at=work.now)


def _outcome(deployment: Deployment) -> str:
    if deployment.state == State.UNCHANGED:
        return f"{deployment.version} was serving already with the same configuration."
    return f"{deployment.version} serves."


def _say(work: Work, deployment: Deployment, what: str, **data: object) -> None:
    work.record(
        f"deployment.{what}",
        deployment.ref,
        service=deployment.service,
        environment=deployment.environment,
        **{key: value for key, value in data.items() if value != ""},
    )


def _refuse_if_paused(service: Service) -> None:
    if service.paused_at:
        raise Paused(service=service.name, by=service.paused_by, reason=service.pause_reason)
