"""Beginning, noting, steering and ending analyses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from steerway.delivery.analyses import queries
from steerway.delivery.analyses.errors import Decided
from steerway.delivery.analyses.models import Analysis
from steerway.delivery.analyses.rules.words import State, Wish
from steerway.delivery.canaries import actions as canaries
from steerway.delivery.canaries.rules.judging import Judgement
from steerway.delivery.verdicts.rules.verdicts import Move, Verdict
from steerway.platform.work import Work


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is judged, beside whom, and on which terms."""

    deployment_id: UUID
    ref: str
    service: str
    environment: str
    version: str
    stable_version: str
    section: Mapping[str, Any]
    percent: float
    stage: int = 0
    rate: float = 0.0
    places: Sequence[int] = ()
    phi: Mapping[str, float] = field(default_factory=dict)
    crowds: Sequence[str] = ()
    is_dark: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What one second came to, and what must be remembered of it."""

    verdict: Verdict
    judgement: Judgement
    places: Sequence[int]
    asked: int = 0  # safe requests of this second


def begin(work: Work, subject: Subject) -> Analysis:
    """The analysis of a deployment; one that is there already goes on."""
    found, is_new = Analysis.objects.get_or_create(
        deployment_id=subject.deployment_id,
        defaults={
            "ref": subject.ref,
            "service": subject.service,
            "environment": subject.environment,
            "version": subject.version,
            "stable_version": subject.stable_version,
            "section": dict(subject.section),
            "percent": subject.percent,
            "stage": subject.stage,
            "rate": subject.rate,
            "places": list(subject.places),
            "phi": dict(subject.phi),
            "crowds": list(subject.crowds),
            "is_dark": subject.is_dark,
            "begun_at": work.now,
            "stage_at": work.now,
            "seen_at": work.now,
        },
    )
    if is_new:
        _say(work, found, "begun", beside=subject.stable_version)
        _exposed(work, found)
    return found


def note_shadow(work: Work, analysis: Analysis, verdict: Verdict, *, is_over: bool) -> None:
    """What a second of copies has shown; whether that was the last."""
    _running(analysis).update(
        answer=verdict.answer.value,
        reasons=list(verdict.reasons),
        is_shadowed=is_over,
        seen_at=work.now,
    )
    if is_over and not analysis.is_shadowed:
        _say(work, analysis, "shadowed", reason=verdict.reasons[0])


def expose(work: Work, analysis: Analysis, *, by: str) -> None:
    """Let the first users reach what ran without any; the share is that of the first step."""
    percent = analysis.steps[0]
    changed = _running(analysis).filter(percent=0.0).update(percent=percent, stage_at=work.now)
    if changed:
        analysis.percent = percent
        _exposed(work, analysis, by=by)


def _exposed(work: Work, analysis: Analysis, **data: object) -> None:
    if analysis.percent:
        _tell(work, analysis, "release.exposed", percent=f"{analysis.percent:g}", **data)


def note(work: Work, analysis: Analysis, seen: Seen) -> None:
    """Keep one second, and say in the log what it changed."""
    verdict = seen.verdict
    has_moved = verdict.move in {Move.ADVANCE, Move.STEP_BACK}
    is_held = verdict.move is Move.HOLD
    stage = (
        verdict.evidence.stage + (verdict.move is Move.ADVANCE) - (verdict.move is Move.STEP_BACK)
    )
    values: dict[str, Any] = {
        "places": list(seen.places),
        "percent": verdict.percent,
        "stage": stage,
        "answer": verdict.answer.value,
        "reasons": list(verdict.reasons),
        "is_held": is_held,
        "seen_at": work.now,
        "topped_up": analysis.topped_up + seen.asked,
    }
    if has_moved:
        values["stage_at"] = work.now
    changed = _running(analysis).update(**values)
    if not changed:
        return
    canaries.note(work, analysis.deployment_id, seen.judgement, verdict)
    if has_moved:
        verb = "advanced" if verdict.move is Move.ADVANCE else "stepped-back"
        _say(work, analysis, verb, percent=f"{verdict.percent:g}", reason=verdict.reasons[0])
    elif is_held and not analysis.is_held:
        _say(work, analysis, "held", percent=f"{verdict.percent:g}", reason=verdict.reasons[0])


def promote_now(work: Work, analysis: Analysis, *, stage: int) -> None:
    """Note that it gets everything because somebody said so; the wish is fulfilled."""
    reason = f"{analysis.wished_by} promoted it"
    changed = (
        _running(analysis)
        .filter(wish=Wish.PROMOTE.value)
        .update(
            percent=100.0,
            stage=stage,
            stage_at=work.now,
            seen_at=work.now,
            is_held=False,
            reasons=[reason],
        )
    )
    if changed:
        _say(work, analysis, "advanced", percent="100", reason=reason)


def end(work: Work, analysis: Analysis, state: State, *, reason: str) -> bool:
    """End it; False when it had ended before."""
    ended = _running(analysis).update(
        state=state.value,
        ended_at=work.now,
        percent=100.0 if state is State.PROMOTED else 0.0,
        is_held=False,
        paused_by="",
    )
    if ended:
        _say(work, analysis, state.value, reason=reason)
        if analysis.percent and state is not State.PROMOTED:
            _tell(work, analysis, "release.withdrawn", reason=reason)
    return bool(ended)


def stop(work: Work, deployment_id: UUID, *, reason: str) -> None:
    """End the analysis of a deployment that is taken back, if one is running."""
    found = queries.of(deployment_id)
    if found is not None and found.is_running:
        end(work, found, State.STOPPED, reason=reason)


def pause(work: Work, analysis: Analysis) -> None:
    """Keep the new version at its share until somebody resumes it; evidence of harm still counts.

    Raises:
        Decided: the analysis is over.
    """
    work.allow("deployments.steer", on=f"{analysis.service}/{analysis.environment}")
    if _change(analysis, paused_by=work.actor.name):
        _say(work, analysis, "paused", percent=f"{analysis.percent:g}")


def resume(work: Work, analysis: Analysis) -> None:
    """Let it go on after a pause.

    Raises:
        Decided: the analysis is over.
    """
    work.allow("deployments.steer", on=f"{analysis.service}/{analysis.environment}")
    if _change(analysis, paused_by=""):
        _say(work, analysis, "resumed", percent=f"{analysis.percent:g}")


def approve(work: Work, analysis: Analysis, *, percent: float) -> None:
    """Let it take a step that a person must approve.

    Raises:
        Decided: the analysis is over.
    """
    work.allow("deployments.steer", on=f"{analysis.service}/{analysis.environment}")
    opened = sorted({*analysis.approved, percent})
    if _change(analysis, approved=opened):
        _say(work, analysis, "approved", percent=f"{percent:g}")


def promote(work: Work, analysis: Analysis) -> None:
    """Give the new version everything now, whatever is known; watching at 100 % is skipped.

    Raises:
        Decided: the analysis is over.
    """
    work.allow("deployments.steer", on=f"{analysis.service}/{analysis.environment}")
    _change(analysis, wish=Wish.PROMOTE.value, wished_by=work.actor.name, paused_by="")


def _change(analysis: Analysis, **values: object) -> bool:
    """Whether it changed anything.

    Raises:
        Decided: the analysis is over.
    """
    if all(getattr(analysis, name) == value for name, value in values.items()):
        return False
    if _running(analysis).update(**values):
        return True
    now = queries.of(analysis.deployment_id)
    raise Decided(ref=analysis.ref, state=now.state if now else State.STOPPED.value)


def _running(analysis: Analysis) -> Any:
    return Analysis.objects.filter(deployment_id=analysis.deployment_id, state=State.RUNNING.value)


def _say(work: Work, analysis: Analysis, what: str, **data: object) -> None:
    _tell(work, analysis, f"analysis.{what}", **data)


def _tell(work: Work, analysis: Analysis, kind: str, **data: object) -> None:
    work.record(
        kind,
        analysis.ref,
        service=analysis.service,
        environment=analysis.environment,
        version=analysis.version,
        **data,
    )
