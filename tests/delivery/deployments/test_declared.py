"""Metrics that a descriptor names for its canaries, asked of a real store."""

from datetime import timedelta

import pytest

from steerway.delivery.canaries.descriptor import MetricSection
from steerway.delivery.deployments.workflows.declared import Declared
from steerway.telemetry.store import Store
from tests.telemetry.seeding import at, seed_samples

PLACE, VERSIONS = ("shop", "production"), ("v2", "v1")
EVERY = 15
RATIO = MetricSection.model_validate(
    {
        "name": "payments",
        "bad": 'sum by (version) (increase(payments_total{result="failed"}[$every]))',
        "total": 'sum by (version) (increase(payments_total{service="$service"}[$every]))',
        "every": "15s",
    }
)
QUEUE = MetricSection.model_validate(
    {"name": "queue", "value": "max by (version) (queue_length)", "fine": 0, "poor": 100}
)


def asked(section: MetricSection, now: float) -> Declared:
    """One that was asked for the first time a while before."""
    declared = Declared(PLACE, VERSIONS, [section])
    assert declared.counts(at(now - EVERY)) == {}
    return declared


def points(first: float, a_second: float = 0.0) -> list[tuple[float, float]]:
    return [(second, first + a_second * second) for second in range(0, 61, 5)]


@pytest.fixture
def payments(store: Store) -> Store:
    for version, failed in (("v1", 0.0), ("v2", 1.0)):
        for result, rate in (("failed", failed), ("done", 10.0 - failed)):
            labels = {"service": "shop", "version": version, "result": result}
            seed_samples(store, "payments_total", labels, points(0, rate))
    return store


def test_a_ratio_is_counted_for_both_versions(payments: Store) -> None:
    counts = asked(RATIO, 60).counts(at(60))["payments"]

    assert counts.trials_canary == pytest.approx(150, rel=0.05)
    assert counts.bad_canary == pytest.approx(15, rel=0.05)
    assert (counts.trials_stable, counts.bad_stable) == (pytest.approx(150, rel=0.05), 0)


def test_it_is_asked_as_often_as_it_says(payments: Store) -> None:
    declared = asked(RATIO, 60)

    assert declared.counts(at(59)) == {}
    assert "payments" in declared.counts(at(60))
    assert declared.counts(at(61)) == {}


def test_a_value_is_placed_between_what_is_fine_and_what_is_poor(store: Store) -> None:
    for version, length in (("v1", 10.0), ("v2", 40.0)):
        seed_samples(store, "queue_length", {"version": version}, points(length))

    counts = asked(QUEUE, 60).counts(at(60))["queue"]

    assert (counts.bad_canary, counts.bad_stable) == (pytest.approx(0.4), pytest.approx(0.1))


def test_what_only_one_version_has_is_not_counted(store: Store) -> None:
    seed_samples(store, "queue_length", {"version": "v1"}, points(10.0))

    assert asked(QUEUE, 60).counts(at(60)) == {}


def test_a_query_that_cannot_be_computed_is_not_counted(store: Store) -> None:
    broken = QUEUE.model_copy(update={"value": "max by (version) (queue_length"})

    assert Declared(PLACE, VERSIONS, [broken]).counts(at(0)) == {}
    assert asked(broken, 60).counts(at(60) + timedelta(seconds=1)) == {}
