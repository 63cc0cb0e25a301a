"""Whether variants are worse than the rest: all exposures in one pass.

The test is that of a canary's errors, formula (1) of `verdicts.rules.evalues`, with one
difference. A router deals requests out by a weight that it keeps; users of a flag come as they
like, those that a rule decides about too. So a stretch of time is compared by the share that its
own requests had, for which (1) holds whatever that share was, and never by the designed one.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from steerway.delivery.canaries.rules import judging
from steerway.delivery.canaries.rules.judging import Judgement
from steerway.delivery.exposures.rules.counting import Counted
from steerway.delivery.verdicts.rules import fleet
from steerway.delivery.verdicts.rules.fleet import Moves, Second, State
from steerway.delivery.verdicts.rules.plans import ERRORS, Plan, Stage, shared
from steerway.delivery.verdicts.rules.terms import terms
from steerway.delivery.verdicts.rules.verdicts import Answer, Move

STRETCH_MIN: Final = 20  # requests of both: fewer, and their own share says too little of them
# Errors have the whole budget; nothing but evidence moves it: no stage, no time, no bake.
PLAN: Final = Plan(metrics=shared((ERRORS,)), stages=(Stage(0.5, 0, np.inf),))


class Judged(NamedTuple):
    """One exposure after its last stretch: the record to go on from, and what is known."""

    record: bytes
    answer: Answer
    nearness: float  # 0..1 of the way to being turned off
    progress: float  # 0..1 of the way to the proof that it is no worse
    log_e: float
    counted: Counted


def begun() -> bytes:
    """The record of an exposure before its first request."""
    return judging.stored(judging.begin(PLAN))


def is_enough(one: Counted) -> bool:
    """Whether requests make a stretch: both variants were asked for, and often enough."""
    return one.requests > 0 and one.requests_rest > 0 and one.total >= STRETCH_MIN


def restored(record: bytes) -> Judgement:
    """The judgement of a record.

    Raises:
        RecordUnreadable: it is of another version of Steerway.
    """
    return judging.restored(PLAN, record)


def counted(one: Judgement) -> Counted:
    """What it has judged so far."""
    state = one.state
    both = state.trials_canary, state.bad_canary, state.trials_stable, state.bad_stable
    return Counted(*(int(value[0, 0]) for value in both))


def judge(exposures: Sequence[tuple[Judgement, Counted]]) -> list[Judged]:
    """Each exposure one stretch further, in one pass."""
    if not exposures:
        return []
    judgements = [one for one, _ in exposures]
    counts = np.array(
        [[c.requests, c.requests_rest, c.failed, c.failed_rest] for _, c in exposures], dtype=float
    )
    variant, rest, bad, bad_rest = (counts[:, at : at + 1] for at in range(4))
    weights = np.repeat(variant / (variant + rest), 2, axis=1)
    found = terms([PLAN] * len(exposures))._replace(weights=weights)
    state = State._make(
        np.concatenate(values) for values in zip(*(one.state for one in judgements), strict=True)
    )
    # Each stretch is the first of its stage, so that its own share is taken.
    state = state._replace(in_stage=np.zeros(len(exposures)))
    no, yes = np.zeros(len(exposures), bool), np.ones(len(exposures), bool)
    second = Second(variant, rest, bad, bad_rest, bad, bad_rest, down=no, braked=yes)
    after, moves = fleet.step(found, state, second)
    return [
        _judged(replace(one, state=State._make(v[at : at + 1] for v in after)), moves, at)
        for at, one in enumerate(judgements)
    ]


def _judged(one: Judgement, moves: Moves, at: int) -> Judged:
    log_e, gate = float(one.state.log_total[0]), float(moves.gate[at, 0])
    return Judged(
        record=judging.stored(one),
        answer=_answer(moves, at, log_e),
        nearness=_part(log_e, PLAN.alpha),
        progress=1.0 if moves.passed[at, 0] else _part(gate, PLAN.beta),
        log_e=log_e,
        counted=counted(one),
    )


def _answer(moves: Moves, at: int, log_e: float) -> Answer:
    if moves.move[at] == Move.ROLL_BACK:
        return Answer.WORSE
    if log_e >= np.log(PLAN.suspicion):
        return Answer.HOLD
    return Answer.BETTER if moves.passed[at].all() else Answer.NOT_ENOUGH


def _part(log_e: float, chance: float) -> float:
    return float(np.clip(log_e / -np.log(chance), 0.0, 1.0))
