"""Many rollouts, each driven by counts written down here: when it moves, and on what."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from steerway.delivery.verdicts.rules import fleet
from steerway.delivery.verdicts.rules.evalues import Array
from steerway.delivery.verdicts.rules.fleet import Second
from steerway.delivery.verdicts.rules.plans import (
    CRASHES,
    ERRORS,
    LATENCY,
    REFUSALS,
    Plan,
    Stage,
    shared,
)
from steerway.delivery.verdicts.rules.terms import terms
from steerway.delivery.verdicts.rules.verdicts import Move, Why

Counted = Array | NDArray[np.int64]
WEIGHTS = [0.01, 0.05, 0.25, 0.5]
# Those that the expected seconds were worked out for.
STAGES = (Stage(0.01, 10, 60), Stage(0.05, 10, 60), Stage(0.25, 10, 120), Stage(0.5, 30, 300))


def second(canary: Counted, stable: Counted, bad: Array, stable_bad: Array, ok: Array) -> Second:
    """One second of the rollouts in the first axis, nothing down, no brake."""
    rollouts = len(bad)
    nobody = np.zeros(rollouts, dtype=bool)
    first, other = (np.broadcast_to(one, bad.shape).astype(float) for one in (canary, stable))
    return Second(first, other, bad, stable_bad, ok, stable_bad, nobody, nobody)


def held_at(stage: int, share_of_errors: Array, plan: Plan) -> int:
    """Failures in a row, each the canary's only request of its second, until it is rolled back."""
    found = terms([plan])
    state = fleet.begin(found)._replace(stage=np.array([stage]))
    stable = np.array([[round((1 - WEIGHTS[stage]) / WEIGHTS[stage])]])
    for count, failure in enumerate(share_of_errors, start=1):
        bad = np.zeros((1, len(plan.metrics)))
        bad[0, 0] = failure
        one = second(np.ones((1, 1)), stable, bad, bad * 0, bad)
        state, moves = fleet.step(found, state, one)
        if moves.move[0] == Move.ROLL_BACK:
            return count
        state = state._replace(stage=np.array([stage]), in_stage=np.maximum(state.in_stage, 1))
    raise AssertionError("it was not rolled back")


@pytest.mark.parametrize(("stage", "failures"), [(0, 3), (1, 4), (2, 8), (3, 17)])
def test_failures_in_a_row_until_a_rollback(stage: int, failures: int) -> None:
    assert held_at(stage, np.ones(500), Plan(rate=100)) == failures


@pytest.mark.parametrize(("stage", "failures"), [(0, 7), (1, 18), (2, 60), (3, 142)])
def test_a_single_client_rolls_back_too_though_its_failures_are_discounted(
    stage: int, failures: int
) -> None:
    discounted = np.maximum(1 / np.arange(1.0, 501), 0.1)

    assert held_at(stage, discounted, Plan(rate=100)) == failures


@pytest.mark.parametrize(("alpha", "failures"), [(1e-2, 2), (1e-3, 3), (1e-4, 4)])
def test_ten_times_fewer_false_alarms_cost_about_one_failure(alpha: float, failures: int) -> None:
    assert held_at(0, np.ones(500), Plan(rate=100, alpha=alpha)) == failures


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (20, [0.5, 0.5, 0.5, 5e-4]),
        (200, [0.5, 0.2, 0.1, 5e-4]),
        (2000, [0.1, 0.02, 0.01, 5e-4]),
    ],
)
def test_what_may_pass_a_gate_costs_at_most_twenty_failures_in_the_next_stage(
    rate: float, expected: list[float]
) -> None:
    found = terms([Plan(rate=rate)] * 4)
    state = fleet.begin(found)._replace(stage=np.arange(4))

    assert fleet.gate_excess(found, state)[:, 0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rate", "errors", "expected"),
    [
        (20, 0.001, [39, 49, 59, 359, 479]),
        (200, 0.0, [10, 20, 30, 115, 235]),
        (200, 0.001, [10, 20, 30, 281, 401]),
        (200, 0.01, [10, 20, 30, 122, 242]),
        (2000, 0.001, [10, 20, 30, 60, 180]),
    ],
)
def test_seconds_at_which_a_good_release_without_noise_goes_on(
    rate: float, errors: float, expected: list[int]
) -> None:
    found = terms([Plan(stages=STAGES, rate=rate)])
    state, moved = fleet.begin(found), []
    stable = np.array([[errors, 0.5, 0.1, 0.01]])
    canary = np.array([[errors, 0.45, 0.085, 0.0075]])
    accepted = np.array([[errors, 0.42, 0.07, 0.0055]])
    for at in range(1, expected[-1] + 1):
        count = rate * fleet.weight(found, state)[:, None]
        rest = rate - count
        one = second(count, rest, count * canary, rest * stable, count * accepted)
        state, moves = fleet.step(found, state, one)
        moved += [at] * bool(moves.move[0])

    assert moved == expected
    assert moves.move[0] == Move.FINISH


@pytest.mark.parametrize(
    ("replicas", "every", "expected"),
    [(1, 10, (3, 30)), (1, 60, (4, 240)), (5, 10, (4, 40)), (1, 1800, None)],
)
def test_a_release_that_crashes_in_a_loop(
    replicas: int, every: int, expected: tuple[int, int] | None
) -> None:
    found = terms([Plan(metrics=(ERRORS, *LATENCY, REFUSALS, CRASHES), rate=200)])
    state = fleet.begin(found)
    canary = np.array([[2.0] * 5 + [replicas]])
    stable = np.array([[198.0] * 5 + [9.0 * replicas]])
    bad = np.array([[0, *(2 * np.array([0.44, 0.085, 0.0075])), 0, 0]])
    other = np.array([[0, *(198 * np.array([0.5, 0.1, 0.01])), 0, 0]])
    ended = None
    for at in range(1, 2000):
        bad[0, 5] = at % every == 0
        state, moves = fleet.step(found, state, second(canary, stable, bad, other, bad))
        state = state._replace(stage=np.array([0]), in_stage=np.maximum(state.in_stage, 1))
        if moves.move[0] == Move.ROLL_BACK:
            ended = (at // every, at)
            break

    assert ended == expected


def test_on_the_margin_itself_fewer_releases_are_rolled_back_than_alpha_says() -> None:
    rollouts, random = 2000, np.random.default_rng(1)
    found = terms([Plan(metrics=(replace(ERRORS, share=1.0),), alpha=0.05, rate=200)] * rollouts)
    state = fleet.begin(found)
    is_bad, has_ended = np.zeros(rollouts, bool), np.zeros(rollouts, bool)
    for _ in range(400):
        both = random.poisson(200, rollouts)
        canary = random.binomial(both, fleet.weight(found, state))
        failed = random.binomial(canary, 1.25 * 0.01 + 2e-4)[:, None].astype(float)
        others = random.binomial(both - canary, 0.01)[:, None].astype(float)
        one = second(canary[:, None], (both - canary)[:, None], failed, others, failed)
        state, moves = fleet.step(found, state, one)
        is_bad |= (moves.move == Move.ROLL_BACK) & ~has_ended
        has_ended |= is_bad | (moves.move == Move.FINISH)

    assert is_bad.mean() < 0.03


def test_rollouts_of_different_plans_do_not_touch_each_other() -> None:
    short = Plan(metrics=(ERRORS,), stages=(Stage(0.1, 5, 60),), rate=50)
    long = Plan(metrics=shared((ERRORS, *LATENCY, REFUSALS, CRASHES)), rate=500)
    alone = [terms([one]) for one in (short, long)]
    together = terms([short, long])
    states, both = [fleet.begin(one) for one in alone], fleet.begin(together)
    random = np.random.default_rng(7)
    for _ in range(90):
        count = fleet.weight(together, both)[:, None] * np.array([[50.0], [500.0]]) + np.zeros(
            (2, 6)
        )
        bad = random.binomial(count.astype(int), 0.002).astype(float)
        count[0, 1:], bad[0, 1:] = 0, 0
        both, moves = fleet.step(together, both, second(count, count * 9, bad, bad, bad))
        for at, metrics in enumerate((1, 6)):
            mine = count[at : at + 1, :metrics], bad[at : at + 1, :metrics]
            one = second(mine[0], mine[0] * 9, mine[1], mine[1], mine[1])
            states[at], single = fleet.step(alone[at], states[at], one)
            assert single.move[0] == moves.move[at]

    assert both.log_total == pytest.approx([one.log_total[0] for one in states], abs=1e-12)


def test_a_service_that_burns_holds_its_release_but_does_not_roll_it_back() -> None:
    found = terms([Plan(rate=200, burn_max=0.0144)])
    state = fleet.begin(found)
    for _ in range(30):
        count = 200 * fleet.weight(found, state)[:, None] * np.ones((1, 4))
        bad, other = count * 0.1, (200 - count) * 0.1
        state, moves = fleet.step(found, state, second(count, 200 - count, bad, other, bad))

    assert (moves.move[0], moves.why[0], state.stage[0]) == (Move.HOLD, Why.BURN, 0)


def test_a_fault_at_full_traffic_goes_a_step_back_and_is_rolled_back_there() -> None:
    found = terms([Plan(rate=200)])
    state = fleet.begin(found)
    story = []
    for at in range(1, 600):
        count = 200 * fleet.weight(found, state)[:, None] * np.ones((1, 4))
        rate = np.array([[0.001 if at < 320 else 0.05, 0.4, 0.08, 0.005]])
        other = (200 - count) * np.array([[0.001, 0.5, 0.1, 0.01]])
        state, moves = fleet.step(
            found, state, second(count, 200 - count, count * rate, other, count * rate)
        )
        story += [Move(moves.move[0])] * bool(moves.move[0])
        if moves.move[0] == Move.ROLL_BACK:
            break

    assert story == [*[Move.ADVANCE] * 4, Move.STEP_BACK, Move.ROLL_BACK]


def test_a_router_that_is_a_second_late_makes_no_good_release_look_bad() -> None:
    rollouts, random = 50, np.random.default_rng(5)
    found = terms([Plan(rate=2000)] * rollouts)
    state = fleet.begin(found)
    carried = fleet.weight(found, state)
    slow = np.array([0.001, 0.45, 0.085, 0.0075])
    for _ in range(300):
        canary = random.binomial(2000, carried)[:, None]
        carried = fleet.weight(found, state)
        mine = random.binomial(canary, slow).astype(float)
        other = random.binomial(2000 - canary, [0.001, 0.5, 0.1, 0.01]).astype(float)
        state, moves = fleet.step(found, state, second(canary, 2000 - canary, mine, other, mine))

        assert not (moves.move == Move.ROLL_BACK).any()


def test_an_outage_that_is_over_holds_no_longer_than_it_must() -> None:
    found = terms([Plan(rate=200, burn_max=0.0144)])
    state = fleet.begin(found)
    for at in range(200):
        count = 200 * fleet.weight(found, state)[:, None] * np.ones((1, 4))
        part = 0.5 if at < 180 else 0.0
        bad, other = count * part, (200 - count) * part
        state, moves = fleet.step(found, state, second(count, 200 - count, bad, other, bad))
        assert at >= 180 or moves.move[0] in {Move.STAY, Move.HOLD}

    assert moves.why[0] not in {Why.BURN, Why.BUDGET}
