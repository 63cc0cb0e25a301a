"""What a descriptor may ask for, and the plan it comes to."""

from typing import Any

import pytest
from pydantic import ValidationError

from steerway.delivery.canaries.descriptor import CanarySection
from steerway.delivery.canaries.rules.planning import planned
from steerway.delivery.verdicts.rules.plans import Plan, Stage

PAYMENTS = {"name": "payments", "bad": "sum by (version) (a)", "total": "sum by (version) (b)"}
QUEUE = {"name": "queue", "value": "max by (version) (c)", "fine": 10, "poor": 500}


def test_a_canary_needs_no_configuration() -> None:
    plan = planned(CanarySection(), rate=200)

    assert plan.stages == Plan().stages
    assert (plan.alpha, plan.bake, plan.burn_max) == (0.001, 120, 1)
    assert [one.name for one in plan.metrics] == [
        "errors",
        "slow_p50",
        "slow_p90",
        "slow_p99",
        "http_4xx",
        "crash",
        "saturation",
    ]
    assert sum(one.share for one in plan.metrics) == pytest.approx(1)
    assert plan.metrics[0].share == 0.5
    assert plan.metrics[0].accepted.ratio == 1.5
    assert plan.metrics[0].accepted.excess == pytest.approx(5e-4)


def test_what_is_asked_for_is_in_the_plan() -> None:
    section = CanarySection.model_validate(
        {
            "steps": [10, 40],
            "longest": "5m",
            "false_alarms": 1,
            "watch": ["errors"],
            "errors": {"times": 2, "plus": 1},
            "metrics": [PAYMENTS, QUEUE],
            "objective": 99.9,
            "bake": "0s",
        }
    )

    plan = planned(section, rate=50)

    assert plan.stages == (Stage(0.1, 8, 300), Stage(0.4, 15, 300))
    assert (plan.alpha, plan.bake) == (0.01, 0)
    assert plan.burn_max == pytest.approx(0.0144)
    assert [(one.name, one.share) for one in plan.metrics] == [
        ("errors", 0.5),
        ("payments", 0.25),
        ("queue", 0.25),
    ]
    assert plan.metrics[0].margin.excess == 0.01
    assert plan.metrics[1].margin.excess == 0.01


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"steps": [5, 1]}, "steps must rise, got 5, 1"),
        ({"steps": [100]}, "less than 100"),
        ({"watch": ["latency"]}, "errors must be among what is watched"),
        ({"shortest": "2m", "longest": "1m"}, "shortest is longer than longest"),
        ({"approve": [30]}, "approve names 30, which is no step"),
        ({"metrics": [PAYMENTS, PAYMENTS]}, "a name that no other metric has"),
        ({"metrics": [{**QUEUE, "bad": "x"}]}, "bad and total, or value, fine and poor"),
        ({"metrics": [{"name": "queue", "value": "x"}]}, "bad and total, or value"),
        ({"metrics": [{**QUEUE, "poor": 10}]}, "fine and poor are the same"),
        ({"top_up": {"requests": [{"method": "POST", "path": "/buy"}]}}, "'GET' or 'HEAD'"),
    ],
)
def test_a_section_that_makes_no_sense_is_refused(asked: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        CanarySection.model_validate(asked)
