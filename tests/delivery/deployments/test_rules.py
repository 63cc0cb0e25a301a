"""Steps, waves and shares of deployments."""

import pytest

from steerway.delivery.deployments.rules import (
    Step,
    Strategy,
    deployment_ref,
    itinerary,
    leaving,
    share_percent,
    waves,
)
from steerway.platform.numbers.rules import number_of


@pytest.mark.parametrize(
    ("strategy", "replicas", "expected"),
    [
        (Strategy.BLUE_GREEN, 1, [[0]]),
        (Strategy.BLUE_GREEN, 3, [[0, 1, 2]]),
        (Strategy.ROLLING, 1, [[0]]),
        (Strategy.ROLLING, 3, [[0], [1], [2]]),
        (Strategy.BLUE_GREEN, 0, [[]]),
        (Strategy.ROLLING, 0, [[]]),
    ],
)
def test_which_replicas_start_together(
    strategy: Strategy, replicas: int, expected: list[list[int]]
) -> None:
    assert waves(strategy, replicas) == expected


def test_a_blue_green_deployment_takes_each_step_once_in_order() -> None:
    assert itinerary(Strategy.BLUE_GREEN, 3) == [
        (step, 0) for step in Step if step is not Step.JUDGE
    ]


def test_a_canary_is_judged_between_its_first_traffic_and_the_end_of_the_old() -> None:
    assert itinerary(Strategy.CANARY, 3) == [(step, 0) for step in Step]


def test_a_rolling_deployment_comes_back_for_each_replica() -> None:
    names = [f"{step.value} {wave}" for step, wave in itinerary(Strategy.ROLLING, 2)]

    assert names == [
        "preflight 0", "build 0", "install 0", "configure 0",
        "start 0", "verify 0", "switch 0", "drain 0",
        "start 1", "verify 1", "switch 1", "drain 1",
        "retire 0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("waves_of", "shares"),
    [(1, [100]), (2, [50, 100]), (3, [33, 67, 100]), (4, [25, 50, 75, 100])],
)
def test_the_share_of_traffic_grows_to_all_of_it(waves_of: int, shares: list[int]) -> None:
    assert [share_percent(wave, waves_of) for wave in range(waves_of)] == shares


@pytest.mark.parametrize("count", range(1, 12))
def test_every_share_rises_and_none_is_nothing(count: int) -> None:
    shares = [share_percent(wave, count) for wave in range(count)]

    assert shares == sorted(set(shares))
    assert shares[0] > 0
    assert shares[-1] == 100


@pytest.mark.parametrize("old", range(7))
@pytest.mark.parametrize("count", range(1, 6))
def test_every_old_replica_leaves_once_and_the_last_only_at_the_end(old: int, count: int) -> None:
    indexes = list(range(10, 10 + old))

    left = [leaving(indexes, wave, count) for wave in range(count)]

    assert [one for wave in left for one in wave] == indexes
    assert max((len(wave) for wave in left), default=0) <= -(-old // count)


@pytest.mark.parametrize(
    ("old", "count", "expected"),
    [
        ([0, 1], 1, [[0, 1]]),
        ([0, 1], 2, [[0], [1]]),
        ([0, 1, 2, 3], 2, [[0, 1], [2, 3]]),
        ([0], 2, [[], [0]]),
        ([], 2, [[], []]),
    ],
)
def test_which_old_replicas_leave_after_each_wave(
    old: list[int], count: int, expected: list[list[int]]
) -> None:
    assert [leaving(old, wave, count) for wave in range(count)] == expected


def test_names_lead_back() -> None:
    assert number_of(deployment_ref(12)) == number_of("dep-12") == number_of("12") == 12
    assert number_of("DEP-") == number_of("x") == number_of("DEP-" + "9" * 30) == 0
