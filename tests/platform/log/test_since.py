"""Entries since a moment, when numbers and moments are not in the same order."""

from dataclasses import replace
from datetime import timedelta

import pytest

from steerway.platform.log import queries
from steerway.platform.log.queries import Filter
from steerway.platform.work import Work

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_an_entry_that_was_written_out_of_order_is_found_by_its_moment(work: Work) -> None:
    work.record("service.paused", "old")
    replace(work, now=work.now + timedelta(seconds=9)).record("service.paused", "young, first")
    replace(work, now=work.now + timedelta(seconds=5)).record("service.paused", "young, second")

    found = queries.newest(Filter(since=work.now + timedelta(seconds=5)))

    assert [event.subject for event in found] == ["young, second", "young, first"]


def test_nothing_since_a_moment_in_the_future(work: Work) -> None:
    work.record("service.paused", "old")

    assert queries.newest(Filter(since=work.now + timedelta(seconds=1))) == []
