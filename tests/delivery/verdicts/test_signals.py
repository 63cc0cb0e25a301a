"""What was seen, turned into trials and bad ones."""

from dataclasses import replace

import numpy as np
import pytest

from steerway.delivery.verdicts.rules import fleet
from steerway.delivery.verdicts.rules.evalues import Array, Margin
from steerway.delivery.verdicts.rules.fleet import Second
from steerway.delivery.verdicts.rules.plans import ERRORS, Plan, Stage
from steerway.delivery.verdicts.rules.signals import (
    EDGES_MS,
    GROWTH,
    crossed,
    edge,
    histogram,
    part_bad,
    slower,
    weight_of,
)
from steerway.delivery.verdicts.rules.terms import terms
from steerway.delivery.verdicts.rules.verdicts import Move

NAN = float("nan")


def test_the_edge_of_a_quantile_is_the_first_that_is_not_below_it() -> None:
    stable = histogram(np.arange(1.0, 1001))

    place = edge(stable, 0.9)

    assert EDGES_MS[place - 1] < 900 <= EDGES_MS[place] < 900 * GROWTH
    assert slower(stable, place) == 1000 - np.floor(EDGES_MS[place])


def test_a_version_that_is_nine_percent_slower_is_within_the_margin_and_a_fifth_is_not() -> None:
    stable = np.random.default_rng(1).lognormal(4.6, 0.6, 20_000)
    place = edge(histogram(stable), 0.5)
    beyond = slower(histogram(stable), place)

    assert slower(histogram(stable * 1.09), place + 1) <= beyond
    assert slower(histogram(stable * 1.2), place + 1) > beyond + 0.005 * len(stable)


def test_a_request_is_slow_when_it_crosses_the_edge_and_not_when_it_ends() -> None:
    started = np.array([10.0, 10.0, 10.0, 9.0])
    ended = np.array([NAN, 10.4, 12.0, NAN])

    assert crossed(started, ended, 0.5, since=10, until=11) == 2
    assert crossed(started, ended, 0.5, since=11, until=12) == 0


@pytest.mark.parametrize(
    ("fine", "poor", "expected"),
    [(0.8, 1.0, [0, 0, 0.5, 1]), (1.0, 0.5, [1, 0.4, 0.2, 0])],
)
def test_a_number_lies_between_its_anchors(fine: float, poor: float, expected: list[float]) -> None:
    values = np.array([0.3, 0.8, 0.9, 1.2])

    assert part_bad(values, fine=fine, poor=poor).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("canary", "is_worse"), [(0.55, False), (0.95, True)])
def test_a_number_that_grows_far_is_worse(canary: float, *, is_worse: bool) -> None:
    metric = replace(ERRORS, share=1.0, margin=Margin(1.25, 0.05))
    found = terms([Plan(metrics=(metric,), stages=(Stage(0.5, 10, 600),), rate=2)])
    state, nobody, one = fleet.begin(found), np.zeros(1, bool), np.ones((1, 1))
    mine = part_bad(np.array([[canary]]), fine=0.4, poor=1.0)
    stable = part_bad(np.array([[0.5]]), fine=0.4, poor=1.0)
    moved = set()
    for _ in range(120):
        second = Second(one, one, mine, stable, mine, stable, nobody, nobody)
        state, moves = fleet.step(found, state, second)
        moved.add(Move(moves.move[0]))

    assert (Move.ROLL_BACK in moved) is is_worse


def storms(random: np.random.Generator, begun: Array) -> tuple[Array, Array]:
    """Failures of storms of one client each, twenty on average, plain and weighed."""
    plain, weighed = np.zeros(len(begun)), np.zeros(len(begun))
    for row in np.flatnonzero(begun):
        for size in random.geometric(1 / 20, int(begun[row])):
            plain[row] += size
            weighed[row] += weight_of(0, int(size), 0.0)
    return plain, weighed


def rolled_back(*, is_weighed: bool) -> float:
    """The share of good releases that fall to retry storms: 200 requests/s, 1 % of them fail."""
    rollouts, random = 100, np.random.default_rng(11)
    found = terms([Plan(metrics=(ERRORS,), rate=200)] * rollouts)
    state = fleet.begin(found)
    is_bad, nobody = np.zeros(rollouts, bool), np.zeros(rollouts, bool)
    for _ in range(200):
        share = fleet.weight(found, state)
        canary = random.binomial(200, share)
        stable = 200 - canary
        bad = [random.binomial(one, 0.005).astype(float) for one in (canary, stable)]
        begun = [random.poisson(0.05 * part, rollouts) for part in (share, 1 - share)]
        for side, count in enumerate(begun):
            plain, weighed = storms(random, count.astype(float))
            bad[side] += weighed if is_weighed else plain
        trials = canary[:, None].astype(float), stable[:, None].astype(float)
        mine, other = bad[0][:, None], bad[1][:, None]
        second = Second(*trials, mine, other, mine, other, nobody, nobody)
        state, moves = fleet.step(found, state, second)
        is_bad |= moves.move == Move.ROLL_BACK
    return float(is_bad.mean())


def test_clients_that_try_again_roll_no_good_release_back() -> None:
    assert rolled_back(is_weighed=True) == 0
    assert rolled_back(is_weighed=False) > 0.2
