"""The e-value against exact enumeration, and against what others have derived."""

from itertools import product

import numpy as np
import pytest
from scipy.special import betaln
from scipy.stats import binom, poisson

from steerway.delivery.verdicts.rules.evalues import (
    Margin,
    Seen,
    dispersion,
    log_e,
    log_starved,
)
from steerway.delivery.verdicts.rules.plans import Plan

ln = np.log
ROLL_BACK = Margin(1.25, 2e-4)
SIDES = ((1, 99), (5, 95), (50, 50), (100, 900))
MARGINS = (Margin(1.25, 2e-4), Margin(1.0, 0.005), Margin(1.5, 0.05))


@pytest.mark.parametrize(
    ("seen", "share", "times", "margin", "expected"),
    [
        (Seen(3, 0, 20), 0.01, 60, ROLL_BACK, 10.494593),
        (Seen(3, 2, 20), 0.01, 60, ROLL_BACK, 9.391817),
        (Seen(0, 5, 100), 0.5, 2.5, ROLL_BACK, -3.037952),
        (Seen(4, 0, 50), 0.0, 8, Margin(1.0, 0.01), 4.817766),
        (Seen(0, 1, 200), 0.05, 0.1, Margin(1.5, 0.05), 8.997626),
        (Seen(10, 8, 1000), 0.5, 0.5, Margin(1.5, 5e-4), -0.368466),
    ],
)
def test_the_logarithm_of_an_e_value(
    seen: Seen, share: float, times: float, margin: Margin, expected: float
) -> None:
    assert log_e(seen, share, ln(times), margin) == pytest.approx(expected, abs=1e-6)


def expectation(
    sides: tuple[int, int], share: float, rates: tuple[float, float], tilt: float, margin: Margin
) -> float:
    """The mean of the e-value over every outcome of two binomial counts, exactly."""
    canary, stable = np.arange(sides[0] + 1.0)[:, None], np.arange(sides[1] + 1.0)[None]
    chance = binom.pmf(canary, sides[0], rates[0]) * binom.pmf(stable, sides[1], rates[1])
    return float(
        (chance * np.exp(log_e(Seen(canary, stable, sides[0]), share, tilt, margin))).sum()
    )


@pytest.mark.parametrize(
    ("sides", "share", "rates", "times", "margin", "expected"),
    [
        ((20, 80), 0.2, (0.0127, 0.01), 2.5, ROLL_BACK, 0.998588),
        ((20, 80), 0.2, (0.0127, 0.01), 60, ROLL_BACK, 0.982605),
        ((50, 50), 0.5, (0.5002, 0.4), 4, ROLL_BACK, 0.039640),
        ((50, 50), 0.5, (0.0305, 0.02), 0.3, Margin(1.5, 5e-4), 0.989389),
        ((20, 80), 0.2, (0.10, 0.01), 8, ROLL_BACK, 23.031483),
    ],
)
def test_the_expectation_of_an_e_value(
    sides: tuple[int, int],
    share: float,
    rates: tuple[float, float],
    times: float,
    margin: Margin,
    expected: float,
) -> None:
    found = expectation(sides, share, rates, ln(times), margin)

    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("sides", SIDES)
def test_a_canary_on_its_margin_gains_nothing_whatever_the_stable_rate_is(
    sides: tuple[int, int], margin: Margin
) -> None:
    share = sides[0] / sum(sides)
    for stable, tilt in product((0.0, 1e-3, 0.01, 0.1, 0.4), (-4.0, -0.5, 0.1, 1.0, 3.0, 5.5)):
        canary = min(1.0, float(margin.ratio * stable + margin.excess))

        assert expectation(sides, share, (canary, stable), tilt, margin) <= 1 + 1e-9


def test_without_a_margin_it_is_the_likelihood_ratio_of_lindon_and_malek() -> None:
    share, times = 0.05, 3.0
    raised = share * times / (share * times + 1 - share)
    expected = 7 * ln(raised / share) + 40 * ln((1 - raised) / (1 - share))

    found = log_e(Seen(7, 40, 1), share, ln(times), Margin(1.0, 0.0))

    assert found == pytest.approx(expected, abs=1e-9)


def test_mixed_over_a_beta_it_is_the_bayes_factor_of_lindon_and_malek() -> None:
    share, a, b, points = 0.05, 5.0, 95.0, 400_000
    raised = (np.arange(points) + 0.5) / points
    tilt = ln(raised / (1 - raised) * (1 - share) / share)
    density = np.exp((a - 1) * ln(raised) + (b - 1) * np.log1p(-raised) - betaln(a, b)) / points
    expected = betaln(a + 7, b + 40) - betaln(a, b) - 7 * ln(share) - 40 * ln(1 - share)

    found = density * np.exp(log_e(Seen(7, 40, 1), share, tilt, Margin(1.0, 0.0)))

    assert ln(found.sum()) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("times", [1.35, 2.7, 20.0])
def test_a_power_of_one_over_phi_is_exact_for_clusters_of_phi_failures(times: float) -> None:
    cluster, stable, sides = 5, 0.02, (400, 1600)
    events = np.arange(60.0)
    bad = cluster * events[:, None], cluster * events[None]
    means = sides[0] * (1.25 * stable + 2e-4) / cluster, sides[1] * stable / cluster

    value = np.exp(log_e(Seen(*bad, sides[0]), 0.2, ln(times), ROLL_BACK) / cluster)
    chance = poisson.pmf(events, means[0])[:, None] * poisson.pmf(events, means[1])[None]

    assert (chance * value).sum() <= 1 + 1e-9


@pytest.mark.parametrize("steps", [1, 4])
def test_trials_that_are_bad_in_part_gain_nothing_either(steps: int) -> None:
    """A bounded number in [0, 1] is a trial: here uniform on 0, 1/steps, ..., 1."""
    values = np.arange(steps + 1) / steps
    share, sides = 0.2, (3, 12)
    margin = Margin(1.0, 0.0)
    for tilt in (-2.0, 0.5, 2.0):
        one = np.exp(log_e(Seen(values, 0.0, 0.0), share, tilt, margin)).mean()
        other = np.exp(log_e(Seen(0.0, values, 0.0), share, tilt, margin)).mean()

        assert one ** sides[0] * other ** sides[1] <= 1 + 1e-9


@pytest.mark.parametrize(
    ("bad", "trials", "expected"),
    [
        ([[0, 1, 2, 1], [1, 0, 1, 2]], [[100] * 4] * 2, 1.0),
        ([[0, 20] + [0] * 6, [0] * 5 + [20, 0, 0]], [[100] * 8] * 2, 16.2),
        ([[50, 70, 30, 60], [60, 50, 40, 70]], [[1000] * 4] * 2, 1.6136364),
    ],
)
def test_phi_of_counts(bad: list[list[int]], trials: list[list[int]], expected: float) -> None:
    found = float(dispersion(np.array(bad, float), np.array(trials, float)))

    assert found == pytest.approx(expected, abs=1e-6)


def test_requests_until_a_canary_is_known_to_be_starved() -> None:
    counts = np.arange(1.0, 10_000)
    found = [
        int(counts[log_starved(0.0, counts, weight) >= ln(1e4)][0])
        for weight in (0.01, 0.05, 0.25, 0.5)
    ]

    assert found == [2042, 404, 77, 36]


def test_bets_never_have_more_than_the_whole_capital() -> None:
    plan, second = Plan(), np.arange(1, 1_000_000, dtype=float)
    late = plan.capital_late * (10 / ((second + 9) * (second + 10))).sum()

    assert plan.capital_start + plan.capital_stages * plan.capital_stage + late <= 1 + 1e-12
