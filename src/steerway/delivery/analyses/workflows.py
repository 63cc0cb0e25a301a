"""Carrying an analysis out: once a second look, judge, keep, and move the traffic.

Everything is remembered in the record before the traffic moves, and the traffic is set again from
the record at every start, so a crash between the two is made good by the next second.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from steerway.delivery.analyses import actions, queries
from steerway.delivery.analyses.actions import Seen
from steerway.delivery.analyses.errors import Worse
from steerway.delivery.analyses.models import Analysis
from steerway.delivery.analyses.rules.comparing import (
    Comparison,
    Look,
    Reply,
    both,
    compared,
    with_replies,
)
from steerway.delivery.analyses.rules.words import State, Wish
from steerway.delivery.canaries import queries as canaries
from steerway.delivery.canaries.descriptor import CanarySection
from steerway.delivery.canaries.rules import judging
from steerway.delivery.canaries.rules.judging import Counts, Judgement, Tick
from steerway.delivery.canaries.rules.planning import planned
from steerway.delivery.router.rules import Signals
from steerway.delivery.verdicts.rules.plans import ERRORS, LATENCY, Plan, Stage, shared
from steerway.delivery.verdicts.rules.signals import Caller, Failing
from steerway.delivery.verdicts.rules.verdicts import Move, Verdict, Why
from steerway.platform.db import reading, unit_of_work
from steerway.platform.work import Work

SECOND: Final = 1.0
PEEK: Final = 0.25  # of a second: a fault that breaks everything does not wait for its end
ALL: Final = 100.0
CANARY: Final = "canary"
STABLE: Final = "stable"
COPIES: Final = 100  # percent of what only reads
SHADOW_SECONDS_MIN: Final = 5.0
ENDS: Final = {Move.ROLL_BACK: State.WORSE, Move.FINISH: State.PROMOTED}

Pair = tuple[Signals, Signals]  # canary, stable


@dataclass(frozen=True, slots=True)
class Scene:
    """What an analysis stands on, all of it handed in by the deployment it belongs to."""

    look: Callable[[], Pair]
    failures: Callable[[], Mapping[Caller, int]]  # by "canary" or "stable", client and route
    extras: Callable[[], Mapping[str, Counts]]
    point: Callable[[float], None]  # give the new version so many percent
    mirror: Callable[[int], None]  # copies of so many percent; 0 ends it
    look_at_copies: Callable[[], Pair]
    ask: Callable[[int], tuple[Sequence[Reply], Sequence[Reply]]]  # so many safe requests to each
    refuse_stopped: Callable[[], None]  # raises when somebody has cancelled the deployment
    work: Callable[[], Work]
    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class _Watch:
    """What is remembered between two seconds."""

    judgement: Judgement
    comparison: Comparison
    asked: Pair = (Signals(), Signals())
    failures: Mapping[Caller, int] = field(default_factory=dict)  # of this second, so far
    weighed: tuple[float, float] = (0.0, 0.0)  # what failures of each side came to, until it began
    real: int = 0  # requests of people that the canary had answered at the last look
    crowds: frozenset[str] = frozenset()  # addresses that many clients share
    is_plain: bool = False  # a few programs call the service: each failure counts in full


def conduct(scene: Scene, deployment_id: UUID) -> str:
    """Watch to the end; what to say of it.

    Raises:
        Worse: the new version must go.
        Refused: what `refuse_stopped` raises.
    """
    analysis = _read(deployment_id)
    if not analysis.is_running:
        return _concluded(analysis)
    section = CanarySection.stored(analysis.section)
    if section.shadow and not analysis.is_shadowed and not analysis.percent:
        shadow(scene, section, analysis)
    analysis = _released(scene, _read(deployment_id))
    plan = plan_of(section, analysis.rate)
    known, comparison = _remembered(analysis, plan), Comparison(places=tuple(analysis.places))
    crowds = frozenset(analysis.crowds)
    watch = _Watch(known, comparison, crowds=crowds, is_plain=section.few_clients)
    scene.point(watch.judgement.percent)
    watch = replace(watch, comparison=_compared(scene, watch, (0.0, 0.0), *scene.look())[0])
    while analysis.is_running:
        watch = _pass_a_second(scene, watch)
        scene.refuse_stopped()
        analysis = _read(deployment_id)
        if analysis.wish == Wish.PROMOTE:
            return _promote(scene, analysis, watch)
        watch, verdict = _second(scene, section, analysis, watch)
        if verdict.move in {Move.ADVANCE, Move.STEP_BACK}:
            scene.point(verdict.percent)
        if verdict.move in ENDS:
            _end(scene, analysis, ENDS[verdict.move], " ".join(verdict.reasons))
            analysis = _read(deployment_id)
    return _concluded(analysis)


def shadow(scene: Scene, section: CanarySection, analysis: Analysis) -> None:
    """Compare it on copies of requests, which no user waits for.

    Nothing of it is kept over a crash: copies are sent again from the beginning.

    Raises:
        Worse: it never gets a user.
    """
    judgement = judging.begin(shadow_plan(section))
    scene.mirror(COPIES)
    comparison = compared_copies(scene, Comparison(places=tuple(analysis.places)))[0]
    while True:
        scene.wait(SECOND)
        scene.refuse_stopped()
        comparison, tick = compared_copies(scene, comparison)
        judgement, verdict = judging.judge(judgement, tick)
        # Proven, or the time is over; silence is no reason to wait here, as users come next.
        is_over = verdict.move is Move.ADVANCE or verdict.why in {Why.SILENCE, Why.STARVED}
        with unit_of_work():
            actions.note_shadow(scene.work(), analysis, verdict, is_over=is_over)
        if verdict.move is Move.ROLL_BACK:
            _end(scene, analysis, State.WORSE, " ".join(verdict.reasons))
            raise Worse(version=analysis.version, reason=" ".join(verdict.reasons))
        if is_over:
            scene.mirror(0)
            return


def shadow_plan(section: CanarySection) -> Plan:
    """One step on even terms, as long as the shadow may be, on what the router sees of copies."""
    whole = planned(section, rate=0.0)
    seconds = section.shadow.total_seconds()
    known = {ERRORS.name, *(one.name for one in LATENCY)}
    metrics = tuple(one for one in whole.metrics if one.name in known)
    stage = Stage(0.5, min(SHADOW_SECONDS_MIN, seconds), seconds)
    return replace(whole, metrics=shared(metrics), stages=(stage,), weight_trials=1.0)


def compared_copies(scene: Scene, before: Comparison) -> tuple[Comparison, Tick]:
    """One second of copies beside the requests they are copies of."""
    at, (canary, stable) = scene.now(), scene.look_at_copies()
    return compared(before, Look(at, canary), Look(at, stable))


def _released(scene: Scene, analysis: Analysis) -> Analysis:
    """Let users reach it; what is dark waits, for as long as it takes, until somebody says so."""
    while not analysis.percent:
        is_wanted = not analysis.is_dark or analysis.wish == Wish.PROMOTE
        if is_wanted or analysis.steps[0] in analysis.approved:
            with unit_of_work():
                actions.expose(scene.work(), analysis, by=analysis.wished_by)
        else:
            scene.wait(SECOND)
        scene.refuse_stopped()
        analysis = _read(analysis.deployment_id)
    return analysis


def _concluded(analysis: Analysis) -> str:
    if analysis.state == State.PROMOTED:
        return str(analysis.reasons[0])
    raise Worse(version=analysis.version, reason=" ".join(analysis.reasons))


def _pass_a_second(scene: Scene, watch: _Watch) -> _Watch:
    """Wait for the next second; less where what is known of it is enough to end it."""
    until = scene.now() + SECOND
    while (left := until - scene.now()) > 0:
        scene.wait(min(left, PEEK))
        watch = _heard(scene, watch)
        if left > PEEK and _peek(scene, watch) is Move.ROLL_BACK:
            break
    return watch


def _heard(scene: Scene, watch: _Watch) -> _Watch:
    return replace(watch, failures=Counter(watch.failures) + Counter(scene.failures()))


def plan_of(section: CanarySection, rate: float) -> Plan:
    """The terms of an analysis. With safe requests, the share is what it turns out to be."""
    plan = planned(section, rate=rate)
    return replace(plan, weight_trials=1.0) if section.top_up else plan


def _peek(scene: Scene, watch: _Watch) -> Move:
    """What a part of a second says already. Nothing of it is kept.

    The e-value of a part is one too, so looking more often costs nothing of the budget.
    """
    canary, stable = scene.look()
    _, tick = _compared(scene, watch, _weighed(watch)[1], canary, stable)
    return judging.judge(watch.judgement, tick)[1].move


def _second(
    scene: Scene, section: CanarySection, analysis: Analysis, watch: _Watch
) -> tuple[_Watch, Verdict]:
    canary, stable = scene.look()
    asked, replies = _topped_up(scene, section, watch, canary)
    failing, weighed = _weighed(watch)
    watch = replace(watch, asked=asked, judgement=replace(watch.judgement, failing=failing))
    comparison, tick = _compared(scene, watch, weighed, canary, stable)
    extras = {**tick.counts, **scene.extras()}
    tick = replace(tick, counts=extras, brake=brake(analysis))
    judgement, verdict = judging.judge(watch.judgement, tick)
    with unit_of_work():
        seen = Seen(verdict, judgement, comparison.places, replies)
        actions.note(scene.work(), analysis, seen)
    after = replace(watch, judgement=judgement, comparison=comparison, weighed=weighed)
    return replace(after, failures={}, real=canary.ended), verdict


def _weighed(watch: _Watch) -> tuple[Failing, tuple[float, float]]:
    """What the failures of both sides come to, a client's many less than many clients' few."""
    failing = watch.judgement.failing
    second = int(watch.judgement.state.seconds[0]) + 1
    full = {one for one in watch.failures if watch.is_plain or one[1] in watch.crowds}
    often = {one: count for one, count in watch.failures.items() if one not in full}
    failing, weighed = failing.with_second(second, often)
    found = Counter(weighed)
    for caller in full:
        found[caller[0]] += watch.failures[caller]
    mine, other = watch.weighed
    return failing, (mine + found[CANARY], other + found[STABLE])


def _compared(
    scene: Scene, watch: _Watch, weighed: tuple[float, float], canary: Signals, stable: Signals
) -> tuple[Comparison, Tick]:
    at = scene.now()
    mine, other = replace(canary, failed=weighed[0]), replace(stable, failed=weighed[1])
    return compared(
        watch.comparison,
        Look(at, both(mine, watch.asked[0])),
        Look(at, both(other, watch.asked[1])),
    )


def brake(analysis: Analysis) -> str:
    """Who or what keeps it where it is; empty when nothing does."""
    if analysis.paused_by:
        return f"{analysis.paused_by} has paused it"
    step = analysis.waits_for
    return "" if step is None else f"somebody must approve the step to {step:g} %"


def _topped_up(
    scene: Scene, section: CanarySection, watch: _Watch, canary: Signals
) -> tuple[Pair, int]:
    """Safe requests of this second, where people have asked the new version too little."""
    if section.top_up is None:
        return watch.asked, 0
    people = max(0, canary.ended - watch.real)
    missing = section.top_up.rate - people
    if missing <= 0:
        return watch.asked, 0
    mine, other = scene.ask(int(missing))
    asked = with_replies(watch.asked[0], mine), with_replies(watch.asked[1], other)
    return asked, len(mine) + len(other)


def _promote(scene: Scene, analysis: Analysis, watch: _Watch) -> str:
    """All of the traffic, because somebody said so."""
    with unit_of_work():
        actions.promote_now(scene.work(), analysis, stage=len(watch.judgement.plan.stages))
    scene.point(ALL)
    reason = f"{analysis.wished_by} promoted it"
    _end(scene, analysis, State.PROMOTED, reason)
    return reason


def _end(scene: Scene, analysis: Analysis, state: State, reason: str) -> None:
    with unit_of_work():
        actions.end(scene.work(), analysis, state, reason=reason)


def _remembered(analysis: Analysis, plan: Plan) -> Judgement:
    with reading():
        known = canaries.judgement(analysis.deployment_id, plan)
    if known is not None:
        return known
    begun = judging.begin(plan, analysis.phi)
    return judging.at_stage(begun, analysis.stage) if analysis.stage else begun


def _read(deployment_id: UUID) -> Analysis:
    with reading():
        found = queries.of(deployment_id)
    assert found is not None, "an analysis is begun before it is watched"
    return found
