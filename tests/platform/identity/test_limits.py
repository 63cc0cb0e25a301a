"""Counts of tries."""

from datetime import timedelta

import pytest

from steerway.platform.identity import limits
from steerway.platform.identity.errors import TooOften

HOUR = timedelta(hours=1)


def test_a_count_cannot_be_pushed_out_by_others() -> None:
    for _ in range(3):
        limits.consume("alice", tries=3, per=HOUR)

    for number in range(2000):
        limits.consume(f"somebody-{number}", tries=3, per=HOUR)

    with pytest.raises(TooOften):
        limits.consume("alice", tries=3, per=HOUR)
