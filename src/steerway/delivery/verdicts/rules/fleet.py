"""Judging many rollouts at once: one state of arrays, rollouts by metrics by bets.

Per metric, e-values of each second multiply into bets; a bet starts with a part of the capital,
at the start, at each stage and every second, so that a fault that starts late is not drowned by
the good time before it:

    L_j <- (L_j + pi_t) E_t(theta_j)^(1/phi)
    M_i  = capital that does not bet yet + mean of L_j,       M = sum of share_i M_i

M is a nonnegative supermartingale from 1 while the canary is within its margins, so the chance
that it ever reaches 1/alpha, at any second, stage or metric, is at most alpha (Ville).
"""

from typing import Final, NamedTuple

import numpy as np

from steerway.delivery.verdicts.rules.evalues import (
    GOOD,
    HARM,
    Array,
    Margin,
    Seen,
    ceiling,
    log_e,
    log_mean,
    log_starved,
)
from steerway.delivery.verdicts.rules.plans import Gates
from steerway.delivery.verdicts.rules.terms import Flags, Terms, Whole
from steerway.delivery.verdicts.rules.verdicts import Move, Why

DOWN_SECONDS: Final = 5  # no replica of the canary answers, one of the stable version does
LOG_STARVED: Final = np.log(1e4)
LOG_BURN: Final = np.log(100.0)
BURN_TILT: Final = np.log(2.0)
BURN_TIMES_MAX: Final = 3  # so that a long outage does not hold for as long again when it is over
TINY: Final = 1e-300
LATE_HALF: Final = 10  # seconds by which half of the capital for late faults has been placed
# As plain numbers: reading a member of an enum takes longer than comparing a small array.
STAY, ADVANCE, ROLL_BACK, HOLD, STEP_BACK, FINISH = (int(one) for one in Move)
(COLLECTING, PROVEN, TIME, BUDGET, DOWN, SUSPICION, BURN, STARVED, SILENCE, BAKE, BRAKE) = (
    int(one) for one in Why
)


class State(NamedTuple):
    """All that is remembered of N rollouts. Nothing else decides, so this survives a crash."""

    seconds: Array  # (N,)
    stage: Whole  # (N,)
    in_stage: Array  # (N,) seconds
    entries: Array  # (N,) stages begun
    capital: Array  # (N,) that does not bet yet
    burn: Array  # (N,) log e-value that the service as a whole fails beyond its objective
    down: Array  # (N,) seconds without a replica that answers
    proven: Array  # (N,) 1 when the last gate was passed by proof
    log_total: Array  # (N,) of M
    log_metric: Array  # (N, M) of M_i
    trials_canary: Array  # (N, M), of this stage
    trials_stable: Array
    bad_canary: Array
    bad_stable: Array
    pool_canary: Array  # (N, M) trials that the share of the stage is taken from
    pool_both: Array
    control_trials: Array  # (N, M), of the stable version while it ran beside the canary
    control_bad: Array
    frozen: Array  # (N, M) the highest rate the stable version may have had
    phi: Array  # (N, M)
    bets: Array  # (N, M, T) log L
    bake: Array  # (N, M, T) log of the CUSUM at 100 %
    gate: Array  # (N, M, G) log e-values for "good", of this stage


class Second(NamedTuple):
    """What one second showed of N rollouts: (N, M) each; a metric nobody looked at is all 0.

    `*_ok` are the bad ones by the acceptance edge. `down` and `braked` are (N,).
    """

    trials_canary: Array
    trials_stable: Array
    bad_canary: Array
    bad_stable: Array
    bad_canary_ok: Array
    bad_stable_ok: Array
    down: Flags
    braked: Flags


class Moves(NamedTuple):
    """What to do about each rollout, what decided, and which gates are passed (N, M)."""

    move: Whole
    why: Whole
    passed: Flags
    needed: Flags
    gate: Array  # (N, M) log e-values for "good"


def begin(found: Terms, phi: Array | float = 1.0) -> State:
    """N rollouts before their first second; `phi` is one number, (N, 1) or (N, M)."""
    rollouts, metrics = found.share.shape
    one, two = np.zeros(rollouts), np.zeros((rollouts, metrics))
    return State(
        seconds=one,
        stage=np.zeros(rollouts, dtype=np.int64),
        in_stage=one,
        entries=one,
        capital=one + 1,
        burn=one,
        down=one,
        proven=one,
        log_total=one,
        log_metric=two,
        trials_canary=two,
        trials_stable=two,
        bad_canary=two,
        bad_stable=two,
        pool_canary=two,
        pool_both=two,
        control_trials=two,
        control_bad=two,
        frozen=two,
        phi=np.broadcast_to(np.asarray(phi, dtype=float), two.shape).copy(),
        bets=np.full((rollouts, metrics, len(HARM)), -np.inf),
        bake=np.zeros((rollouts, metrics, len(HARM))),
        gate=np.zeros((rollouts, metrics, len(GOOD))),
    )


def weight(found: Terms, state: State) -> Array:
    """The share of the traffic that each canary has now."""
    return _of_stage(found.weights, state.stage)


def gate_excess(found: Terms, state: State) -> Array:
    """(N, M) the additive margin of the gate that each rollout stands at."""
    return np.maximum(found.excess_ok, _of_stage(found.loose, state.stage)[:, None])


def step(found: Terms, state: State, second: Second) -> tuple[State, Moves]:
    """One second further. What advances, goes back or finishes is in its new stage already."""
    seen, second = _counted(found, state, second)
    seen = _placed(found, seen)
    share = _share(found, seen, second)
    seen = _bet(found, seen, second, share)
    seen = _proved(found, seen, second, share)
    seen = _watched(found, seen, second)
    moves = _decided(found, seen, second)
    return _entered(found, seen, moves), moves


def _counted(found: Terms, state: State, second: Second) -> tuple[State, Second]:
    """With the counts of this second, of which the first one of a stage is a mixture.

    The router may have changed the weights in the middle of it, so it does not say what the
    stage's share is, and no more bad ones than trials are taken from it.
    """
    beside = (state.stage < found.top)[:, None]
    is_mixed = (state.in_stage == 0)[:, None]
    bad = np.where(is_mixed, np.minimum(second.bad_canary, second.trials_canary), second.bad_canary)
    both = second.trials_canary + second.trials_stable
    counted = state._replace(
        seconds=state.seconds + 1,
        in_stage=state.in_stage + 1,
        down=np.where(second.down, state.down + 1, 0.0),
        trials_canary=state.trials_canary + second.trials_canary,
        trials_stable=state.trials_stable + second.trials_stable,
        bad_canary=state.bad_canary + second.bad_canary,
        bad_stable=state.bad_stable + second.bad_stable,
        pool_canary=state.pool_canary + np.where(is_mixed, 0.0, second.trials_canary),
        pool_both=state.pool_both + np.where(is_mixed, 0.0, both),
        control_trials=state.control_trials + np.where(beside, second.trials_stable, 0.0),
        control_bad=state.control_bad + np.where(beside, second.bad_stable, 0.0),
    )
    return counted, second._replace(bad_canary=np.where(found.alone, second.bad_canary, bad))


def _placed(found: Terms, state: State) -> State:
    """Capital that begins to bet now: much at the start and at a new stage, a little always."""
    start, stage, stages, late = found.capital.T
    is_entry = state.in_stage == 1
    late_now = late * LATE_HALF / ((state.seconds + LATE_HALF - 1) * (state.seconds + LATE_HALF))
    placed = np.where(is_entry & (state.entries <= stages), stage, late_now)
    placed = np.where(state.seconds == 1, start, placed)
    return state._replace(
        entries=state.entries + is_entry,
        capital=state.capital - placed,
        bets=np.logaddexp(state.bets, np.log(placed)[:, None, None]),
    )


def _share(found: Terms, state: State, second: Second) -> Array:
    """(N, M) the canary's realised share in this stage, drawn to the designed one at first.

    In the first second of a stage it is that of the second itself, for which (1) holds whatever
    the router did in it.
    """
    is_mixed = (state.in_stage == 1)[:, None]
    prior = np.where(is_mixed, 1.0, found.weight_trials[:, None])
    canary = np.where(is_mixed, second.trials_canary, state.pool_canary)
    both = np.where(is_mixed, second.trials_canary + second.trials_stable, state.pool_both)
    share = (canary + prior * weight(found, state)[:, None]) / (both + prior)
    return np.where(found.alone, 0.0, share)


def _usable(found: Terms, state: State) -> Array:
    """(N, M) 1 where a metric counts now: it is warm, and something runs beside it."""
    beside = (state.stage < found.top)[:, None] | found.alone
    return ((state.seconds[:, None] > found.warm_up) & beside).astype(float)


def _bet(found: Terms, state: State, second: Second, share: Array) -> State:
    stable = np.where(found.alone, 0.0, second.bad_stable)
    counts = _deep(second.bad_canary), _deep(stable), _deep(second.trials_canary)
    margin = Margin(_deep(found.ratio), _deep(found.excess))
    counted = _deep(_usable(found, state) / state.phi)
    bets = state.bets + log_e(Seen(*counts), _deep(share), HARM, margin) * counted
    idle = np.log(np.maximum(state.capital, TINY))[:, None]
    metric = np.logaddexp(log_mean(bets), idle)
    parts = np.exp(metric - metric.max(1, keepdims=True)) * found.share
    # The unspent part of the budget stays at 1.
    total = np.log(np.maximum(parts.sum(1), TINY)) + metric.max(1)
    total = np.logaddexp(total, np.log(np.maximum(found.unspent, TINY)))
    return state._replace(bets=bets, log_metric=metric, log_total=total)


def _proved(found: Terms, state: State, second: Second, share: Array) -> State:
    counts = _deep(second.bad_canary_ok), _deep(second.bad_stable_ok), _deep(second.trials_canary)
    margin = Margin(_deep(found.ratio_ok), _deep(gate_excess(found, state)))
    counted = _deep(_usable(found, state) / state.phi)
    gained = log_e(Seen(*counts), _deep(share), GOOD, margin) * counted
    return state._replace(gate=state.gate + gained)


def _watched(found: Terms, state: State, second: Second) -> State:
    """The sums that bring a step back, and those that see the whole service burn.

    Both are CUSUMs of (1) with share 0 (Page, Biometrika 1954). They hold and send back; neither
    rolls back, so the budget of false alarms is not touched.
    """
    failed = (second.bad_canary + second.bad_stable)[:, 0]
    trials = (second.trials_canary + second.trials_stable)[:, 0]
    burned = log_e(Seen(failed, 0.0, trials), 0.0, BURN_TILT, Margin(1.0, found.burn_max))
    burn = np.clip(state.burn + burned, 0.0, BURN_TIMES_MAX * LOG_BURN)
    state = state._replace(burn=burn)
    baking = (state.stage >= found.top)[:, None] & ~found.alone
    if not baking.any():
        return state
    seen = Seen(_deep(second.bad_canary), 0.0, _deep(second.trials_canary))
    worse = log_e(seen, 0.0, HARM, Margin(1.0, _deep(state.frozen))) / _deep(state.phi)
    return state._replace(
        bake=np.where(baking[:, :, None], np.maximum(state.bake + worse, 0.0), 0.0)
    )


def _decided(found: Terms, state: State, second: Second) -> Moves:
    stage, beside = state.stage, state.stage < found.top
    gates_last = (stage >= found.top - 1)[:, None] & (found.gates >= Gates.LAST)
    needed = (gates_last | (found.gates >= Gates.EVERY)) & beside[:, None]
    gate = log_mean(state.gate)
    passed = gate >= found.log_beta[:, None]
    is_proven = (passed | ~needed).all(1)
    is_silent = ((state.trials_canary < found.trials_min) & _heard(found, stage)).any(1)
    t_min, t_max = _of_stage(found.t_min, stage), _of_stage(found.t_max, stage)
    is_old, is_due = state.in_stage >= t_min, state.in_stage >= t_max
    due = np.where(beside, (is_proven & is_old) | is_due, is_old)
    hold = _holding(found, state, is_silent & ~(is_proven & beside))
    move = np.where(due, np.where(beside, ADVANCE, FINISH), STAY)
    why = np.where(is_proven & is_old, PROVEN, np.where(due, TIME, COLLECTING))
    blocked = due & (hold > 0)
    move, why = np.where(blocked, HOLD, move), np.where(blocked, hold, why)
    braked = second.braked & ((move == ADVANCE) | (move == FINISH))
    move, why = np.where(braked, HOLD, move), np.where(braked, BRAKE, why)
    back = ~beside & (state.bake.max((1, 2)) >= found.log_step_back)
    move, why = np.where(back, STEP_BACK, move), np.where(back, BAKE, why)
    for bad, reason in (
        (state.log_total >= found.log_alpha, BUDGET),
        (state.down >= DOWN_SECONDS, DOWN),
    ):
        move, why = np.where(bad, ROLL_BACK, move), np.where(bad, reason, why)
    return Moves(move, why, passed, needed, gate)


def _heard(found: Terms, stage: Whole) -> Flags:
    """(N, M) metrics that must have been heard of before time alone lets a rollout go on."""
    is_last = (stage >= found.top - 1)[:, None]
    return (found.gates >= Gates.EVERY) | (is_last & (found.gates >= Gates.LAST))


def _holding(found: Terms, state: State, is_silent: Flags) -> Whole:
    """What keeps each rollout from going on, 0 for nothing; the gravest last."""
    beside = state.stage < found.top
    canary, stable = state.trials_canary[:, 0], state.trials_stable[:, 0]
    share = np.where(beside, weight(found, state), 0.5)
    starved = beside & (log_starved(canary, canary + stable, share) >= LOG_STARVED)
    why = np.where(is_silent, SILENCE, 0)
    why = np.where(starved, STARVED, why)
    why = np.where(state.burn >= LOG_BURN, BURN, why)
    return np.where(state.log_total >= found.log_suspicion, SUSPICION, why)


def _entered(found: Terms, state: State, moves: Moves) -> State:
    """Those that go on or back: counts, gates and sums of the stage begin anew."""
    on, back = moves.move == ADVANCE, moves.move == STEP_BACK
    if not (on | back).any():
        return state
    proven = np.where(on, moves.why == PROVEN, state.proven)
    moved = moved_to(frozen(found, state), on | back, state.stage + on - back)
    return moved._replace(proven=proven)


def frozen(found: Terms, state: State) -> State:
    """With the rate that a canary without a stable version beside it is compared with."""
    rate = ceiling(state.control_bad, state.control_trials)
    return state._replace(
        frozen=found.ratio_ok * rate + found.bake_excess[:, None] * found.excess_ok
    )


def moved_to(state: State, which: Flags, stage: Whole) -> State:
    """The rollouts `which` at the beginning of a stage."""
    two, three = ~which[:, None], ~which[:, None, None]
    return state._replace(
        stage=np.where(which, stage, state.stage),
        in_stage=state.in_stage * ~which,
        trials_canary=state.trials_canary * two,
        trials_stable=state.trials_stable * two,
        bad_canary=state.bad_canary * two,
        bad_stable=state.bad_stable * two,
        pool_canary=state.pool_canary * two,
        pool_both=state.pool_both * two,
        gate=state.gate * three,
        bake=state.bake * three,
    )


def _of_stage(values: Array, stage: Whole) -> Array:
    return np.asarray(values[np.arange(len(stage)), stage])


def _deep(values: Array) -> Array:
    return values[:, :, None]
