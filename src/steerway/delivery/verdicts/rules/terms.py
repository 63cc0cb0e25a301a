"""The plans of many rollouts as arrays, one row each."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steerway.delivery.verdicts.rules.evalues import Array, Margin, Number
from steerway.delivery.verdicts.rules.plans import Gates, Metric, Plan

Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

LOOSEST: Final = 0.5  # a gate never lets a canary pass that fails every second request
NOTHING: Final = Metric(
    "", 0.0, Margin(1.0, 0.0), Margin(1.0, 0.0), gates=Gates.NEVER
)  # fills up rollouts with fewer metrics


class Terms(NamedTuple):
    """The plans of N rollouts as arrays. Metrics (N, M), stages (N, K), others (N,)."""

    share: Array
    unspent: Array
    ratio: Array
    excess: Array
    ratio_ok: Array
    excess_ok: Array
    warm_up: Array
    gates: Array
    alone: Flags
    trials_min: Array
    weights: Array
    t_min: Array
    t_max: Array
    top: Whole
    log_alpha: Array
    log_beta: Array
    loose: Array  # (N, K) additive margin that each gate may have at most
    log_suspicion: Array
    log_step_back: Array
    bake_excess: Array
    burn_max: Array
    weight_trials: Array
    capital: Array  # (N, 4) start, stage, stages, late


def terms(plans: Sequence[Plan]) -> Terms:
    """The plans as arrays, filled up to the longest."""
    most = max(len(one.metrics) for one in plans)
    rows = [(*one.metrics, *(NOTHING,) * (most - len(one.metrics))) for one in plans]
    longest = max(len(one.weights) for one in plans)

    def metric(value: Callable[[Metric], Number]) -> Array:
        return np.array([[value(one) for one in row] for row in rows], dtype=float)

    def stage(value: Callable[[Plan], tuple[float, ...]]) -> Array:
        return np.array([_filled(value(one), longest) for one in plans])

    def each(value: Callable[[Plan], float]) -> Array:
        return np.array([value(one) for one in plans], dtype=float)

    share = metric(lambda one: one.share)
    return Terms(
        share=share,
        unspent=np.maximum(1 - share.sum(1), 0.0),
        ratio=metric(lambda one: one.margin.ratio),
        excess=metric(lambda one: one.margin.excess),
        ratio_ok=metric(lambda one: one.accepted.ratio),
        excess_ok=metric(lambda one: one.accepted.excess),
        warm_up=metric(lambda one: one.warm_up),
        gates=metric(lambda one: one.gates),
        alone=metric(lambda one: one.alone) > 0,
        trials_min=metric(lambda one: one.trials_min),
        weights=stage(lambda one: one.weights),
        t_min=stage(lambda one: (*(s.t_min for s in one.stages), one.bake)),
        t_max=stage(lambda one: (*(s.t_max for s in one.stages), np.inf)),
        top=np.array([len(one.stages) for one in plans]),
        log_alpha=each(lambda one: -np.log(one.alpha)),
        log_beta=each(lambda one: -np.log(one.beta)),
        loose=stage(_loose),
        log_suspicion=each(lambda one: np.log(one.suspicion)),
        log_step_back=each(lambda one: np.log(one.step_back)),
        bake_excess=each(lambda one: one.bake_excess),
        burn_max=each(lambda one: one.burn_max),
        weight_trials=each(lambda one: one.weight_trials),
        capital=np.array(
            [(p.capital_start, p.capital_stage, p.capital_stages, p.capital_late) for p in plans]
        ),
    )


def _filled(values: tuple[float, ...], length: int) -> tuple[float, ...]:
    return values + (values[-1],) * (length - len(values))


def _loose(plan: Plan) -> tuple[float, ...]:
    """What may pass each gate must not cost more than `passed_failures` in the next stage."""
    nexts = plan.weights[1:-1]
    per_share = np.array(nexts) * plan.rate * plan.react
    loose = np.minimum(LOOSEST, plan.passed_failures / np.maximum(per_share, 1e-9))
    return (*loose.tolist(), 0.0, 0.0)  # the last gate and the bake: the metric's own margin
