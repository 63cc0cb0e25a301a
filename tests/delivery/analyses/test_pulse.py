"""How failures of what serves cluster."""

import numpy as np
import pytest

from steerway.delivery.analyses.rules.pulse import SECONDS_MIN, Pulse

RATE, FAILED = 50, 0.02


def lived(*, bunch: int, seconds: int = 900, replicas: int = 3) -> Pulse:
    """A version whose failures come in bunches of a size."""
    chance, pulse = np.random.default_rng(7), Pulse()
    totals = dict.fromkeys(range(replicas), (0, 0))
    for _ in range(seconds):
        for name, (requests, failed) in totals.items():
            bad = bunch * int(chance.poisson(RATE * FAILED / bunch))
            totals[name] = (requests + RATE, failed + bad)
        pulse.add({"shop-1": dict(totals)})
    return pulse


def test_failures_that_come_alone_count_in_full() -> None:
    assert lived(bunch=1).phi("shop-1") == 1.0


@pytest.mark.parametrize("bunch", [5, 10])
def test_failures_that_come_in_bunches_count_less(bunch: int) -> None:
    assert lived(bunch=bunch).phi("shop-1") == pytest.approx(bunch, rel=0.3)


def test_nothing_is_known_of_one_replica_or_of_a_moment() -> None:
    assert lived(bunch=10, replicas=1).phi("shop-1") == 1.0
    assert lived(bunch=10, seconds=SECONDS_MIN - 1).phi("shop-1") == 1.0
    assert Pulse().phi("shop-1") == 1.0


def test_what_no_longer_serves_is_forgotten() -> None:
    pulse = lived(bunch=10)

    pulse.add({"shop-2": {}})

    assert pulse.phi("shop-1") == 1.0


def test_a_new_router_is_no_bunch_of_failures() -> None:
    pulse = lived(bunch=1)

    for second in range(60):
        pulse.add({"shop-1": dict.fromkeys(range(3), (50 * second, 0))})

    assert pulse.phi("shop-1") == 1.0
