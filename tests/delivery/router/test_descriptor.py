"""What a descriptor may say about routes."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from steerway.delivery.router.descriptor import RouteSection


def test_nothing_needs_to_be_said() -> None:
    section = RouteSection()

    assert section.timeout == timedelta(seconds=15)
    assert section.try_limit == timedelta(seconds=5)
    assert section.body == 10_000_000
    assert section.retries == 2


def test_everything_can_be_said() -> None:
    section = RouteSection.model_validate(
        {
            "hosts": ["shop.example.com", "*.shop.example.com"],
            "timeout": "2s",
            "try_timeout": "500ms",
            "body": "1GiB",
            "retries": 5,
            "idle": "1m",
        }
    )

    assert section.try_limit == timedelta(milliseconds=500)
    assert section.body == 2**30


def test_the_time_is_shared_among_the_tries() -> None:
    assert RouteSection(timeout=timedelta(seconds=2), retries=0).try_limit == timedelta(seconds=2)
    assert RouteSection(timeout=timedelta(0), retries=4).try_limit == timedelta(seconds=3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hosts": ["Shop.example.com"]},
        {"hosts": ["shop.example.com:8080"]},
        {"hosts": ["*"]},
        {"hosts": ["a.*.com"]},
        {"hosts": ["shop.example.com", "localhost"]},
        {"hosts": ["127.0.0.1"]},
        {"hosts": ["a" * 64 + ".com"]},
        {"timeout": "2h"},
        {"timeout": 15},
        {"timeout": "1s", "try_timeout": "2s"},
        {"body": "5GB"},
        {"retries": 6},
        {"retries": -1},
        {"idle": "0s"},
        {"weight": 5},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RouteSection.model_validate(wrong)
