"""The verdict in words and figures, made of the arrays of one rollout."""

from collections.abc import Iterator
from math import exp, log
from typing import Final

from steerway.delivery.verdicts.rules.fleet import DOWN_SECONDS, Moves, State
from steerway.delivery.verdicts.rules.plans import Metric, Plan
from steerway.delivery.verdicts.rules.verdicts import (
    Answer,
    Evidence,
    MetricEvidence,
    Move,
    Verdict,
    Why,
)

LARGEST: Final = 1e6  # an e-value beyond it is "over a million"
REASONS_MAX: Final = 3

ANSWERS: Final = {
    Why.COLLECTING: Answer.NOT_ENOUGH,
    Why.PROVEN: Answer.BETTER,
    Why.TIME: Answer.NOT_ENOUGH,
    Why.BUDGET: Answer.WORSE,
    Why.DOWN: Answer.WORSE,
    Why.SUSPICION: Answer.HOLD,
    Why.BURN: Answer.HOLD,
    Why.STARVED: Answer.NOT_ENOUGH,
    Why.SILENCE: Answer.NOT_ENOUGH,
    Why.BAKE: Answer.HOLD,
    Why.BRAKE: Answer.HOLD,
}
SENTENCES: Final = {
    Why.COLLECTING: "Not enough data at {percent} yet: {missing}.",
    Why.PROVEN: "Better or equal at {percent}: the evidence of harm is {value} of {limit}.",
    Why.TIME: "No sign of harm at {percent} in the time given, but too little to prove it equal.",
    Why.BUDGET: "Worse, by {worst}: the evidence is {value}, and {limit} decides.",
    Why.DOWN: "Worse: no replica of the new version has answered for {down} s.",
    Why.SUSPICION: "Held at {percent}: {worst} looks worse ({value} of {limit}).",
    Why.BURN: "Held at {percent}: the service as a whole fails beyond its objective.",
    Why.STARVED: "Held at {percent}: the new version gets far less traffic than its share.",
    Why.SILENCE: "Not enough data at {percent}: {silence}.",
    Why.BAKE: "Back to the step before, to compare again: worse than the stable version was.",
    Why.BRAKE: "Ready to go on, and held: {brake}.",
}


def verdict(plan: Plan, counted: State, after: State, moves: Moves, brake: str) -> Verdict:
    """What one second came to. `counted` has the counts of the stage that was judged."""
    move, why = Move(int(moves.move[0])), Why(int(moves.why[0]))
    answer = ANSWERS[why]
    if move is Move.FINISH and not after.proven[0]:
        answer, why = Answer.NOT_ENOUGH, Why.TIME
    metrics = tuple(_metrics(plan, counted, after, moves))
    evidence = Evidence(
        second=int(after.seconds[0]),
        stage=int(counted.stage[0]),
        percent=100 * plan.weights[int(counted.stage[0])],
        answer=answer,
        move=move,
        why=why,
        log_e=float(after.log_total[0]),
        boundary=-log(plan.alpha),
        metrics=metrics,
    )
    percent = 0.0 if move is Move.ROLL_BACK else 100 * plan.weights[int(after.stage[0])]
    return Verdict(answer, move, why, percent, _reasons(plan, evidence, brake), evidence)


def _metrics(plan: Plan, counted: State, after: State, moves: Moves) -> Iterator[MetricEvidence]:
    is_beside = int(counted.stage[0]) < len(plan.stages)
    trials = counted.trials_stable if is_beside else counted.control_trials
    bad = counted.bad_stable if is_beside else counted.control_bad
    for at, metric in enumerate(plan.metrics):
        yield MetricEvidence(
            name=metric.name,
            log_e=float(after.log_metric[0, at]),
            boundary=-log(plan.alpha * metric.share),
            gate=float(moves.gate[0, at]),
            gate_boundary=-log(plan.beta),
            gate_needed=bool(moves.needed[0, at]),
            gate_passed=bool(moves.passed[0, at]),
            trials_canary=float(counted.trials_canary[0, at]),
            bad_canary=float(counted.bad_canary[0, at]),
            trials_stable=float(trials[0, at]),
            bad_stable=float(bad[0, at]),
        )


def _reasons(plan: Plan, evidence: Evidence, brake: str) -> tuple[str, ...]:
    """The sentence about what decided, then the metrics that weigh most."""
    first = _decided(plan, evidence, brake)
    by_weight = sorted(
        zip(plan.metrics, evidence.metrics, strict=True),
        key=lambda pair: pair[1].log_e - pair[1].boundary,
        reverse=True,
    )
    shown = [pair for pair in by_weight if pair[1].trials_canary][:REASONS_MAX]
    if evidence.why in {Why.BUDGET, Why.SUSPICION}:
        shown = [pair for pair in shown if pair[1].log_e > 0] or shown[:1]
    return (first, *(_compared(*pair) for pair in shown))


def _decided(plan: Plan, evidence: Evidence, brake: str) -> str:
    pairs = list(zip(plan.metrics, evidence.metrics, strict=True))
    worst = max(evidence.metrics, key=lambda one: one.log_e - one.boundary)
    return SENTENCES[evidence.why].format(
        worst=worst.name,
        value=_value(evidence.log_e),
        limit=f"{1 / plan.alpha:,.0f}",
        percent=f"{evidence.percent:g} %",
        down=DOWN_SECONDS,
        brake=brake or "somebody put the brake on",
        silence=_silence(next((pair for pair in pairs if _is_silent(*pair)), None)),
        missing=_missing(next((one for one in evidence.metrics if _waits(one)), None)),
    )


def _missing(waiting: MetricEvidence | None) -> str:
    if waiting is None:
        return "nothing speaks against it so far"
    return f"{waiting.name} has {waiting.progress:.0%} of its proof"


def _waits(one: MetricEvidence) -> bool:
    return one.gate_needed and not one.gate_passed


def _is_silent(metric: Metric, one: MetricEvidence) -> bool:
    return bool(metric.gates) and one.trials_canary < metric.trials_min


def _silence(found: tuple[Metric, MetricEvidence] | None) -> str:
    if found is None:
        return "too little was seen"
    metric, one = found
    return (
        f"{metric.name} has {one.trials_canary:,.0f} of the {metric.trials_min} "
        f"{metric.trials} that a step needs"
    )


def _compared(metric: Metric, one: MetricEvidence) -> str:
    """For example "errors: 5.2 % of 412 requests failed, 0.1 % of 8,240 on the stable version"."""
    canary = f"{_ratio(one.bad_canary, one.trials_canary)} of {one.trials_canary:,.0f}"
    said = f"{metric.name}: {canary} {metric.trials} {metric.bad}"
    if metric.alone or not one.trials_stable:
        return f"{said} (evidence {_value(one.log_e)} of {exp(one.boundary):,.0f})"
    stable = f"{_ratio(one.bad_stable, one.trials_stable)} of {one.trials_stable:,.0f}"
    return (
        f"{said}, {stable} on the stable version "
        f"(evidence {_value(one.log_e)} of {exp(one.boundary):,.0f})"
    )


def _ratio(bad: float, trials: float) -> str:
    return f"{100 * bad / trials:.3g} %" if trials else "nothing"


def _value(log_e: float) -> str:
    if log_e > log(LARGEST):
        return "over a million"
    return f"{exp(log_e):,.3g}" if log_e < log(1000) else f"{exp(log_e):,.0f}"
