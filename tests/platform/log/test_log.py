"""The log: chained, complete, and honest about changes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from steerway.platform.log import queries
from steerway.platform.log.errors import TimeUnreadable
from steerway.platform.log.models import Event, Head
from steerway.platform.log.queries import Filter
from steerway.platform.work import Work
from tests.cast import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_an_untouched_log_verifies(work: Work) -> None:
    for n in range(3):
        work.record("service.applied", "shop", service="shop", version=n)

    verdict = queries.verify()

    assert (verdict.entries, verdict.bad) == (3, None)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("data", '{"version":9}'),
        ("data", '{"version": 1}'),
        ("actor", "mallory"),
        ("type", "service.retired"),
        ("at", "2026-03-02 12:00:00.000001"),
        ("at", "nonsense"),
        ("at", "2026-13-02 12:00:00"),
        ("id", "nonsense"),
        ("hash", "f" * 64),
    ],
)
def test_one_changed_value_is_the_first_bad_entry(work: Work, column: str, value: str) -> None:
    if connection.vendor == "postgresql" and column in {"at", "id"}:
        pytest.skip("PostgreSQL itself refuses it")
    for n in range(3):
        work.record("service.applied", "shop", version=n)

    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE log_event SET {column} = %s WHERE seq = 2", [value])

    assert queries.verify().bad == 2


@pytest.mark.parametrize(("where", "bad"), [("seq = 2", 3), ("seq = 3", 3)])
def test_a_missing_entry_is_seen_in_the_middle_and_at_the_end(
    work: Work, where: str, bad: int
) -> None:
    for n in range(3):
        work.record("service.applied", "shop", version=n)

    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM log_event WHERE {where}")

    verdict = queries.verify()
    assert verdict.bad == bad
    assert "missing" in verdict.reason


def test_what_is_written_during_a_check_is_no_fault(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.record("service.applied", "shop")
    every = queries.every

    def every_and_one_more(wanted: Filter) -> Iterator[Event]:
        yield from every(wanted)
        work.record("service.applied", "cart")

    monkeypatch.setattr(queries, "every", every_and_one_more)

    assert queries.verify().bad is None


def test_entries_added_or_chained_anew_behind_the_back_of_the_head_are_seen(work: Work) -> None:
    for n in range(2):
        work.record("service.applied", "shop", version=n)
    written = Head.objects.get()

    work.record("service.applied", "shop", version=2)
    Head.objects.update(seq=written.seq, hash=written.hash)
    added = queries.verify()
    Event.objects.filter(seq=3).delete()
    Head.objects.update(hash="f" * 64)
    other = queries.verify()

    assert (added.bad, other.bad) == (3, 2)


def test_the_newest_come_first_and_pages_follow_each_other(work: Work) -> None:
    for n in range(5):
        work.record("service.applied", "shop", service="shop" if n % 2 else "cart")

    first = queries.newest(Filter(service="cart"), rows=2)
    second = queries.newest(Filter(service="cart"), before=first[-1].seq, rows=2)

    assert [e.seq for e in first + second] == [5, 3, 1]


def test_an_entry_is_exported_as_a_cloudevent(work: Work) -> None:
    event = work.record("deployment.started", "DEP-1", service="shop", release="v1")

    exported = queries.cloudevent(event)

    assert exported["specversion"] == "1.0"
    assert exported["type"] == "dev.steerway.deployment.started"
    assert exported["source"] == "/services/shop"
    assert exported["time"] == "2026-03-02T12:00:00.000000Z"
    assert exported["data"] == {"release": "v1"}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("90m", NOON - timedelta(minutes=90)),
        ("7d", NOON - timedelta(days=7)),
        ("2026-03-02T12:00Z", NOON),
        ("2026-03-02T13:00+01:00", NOON),
    ],
)
def test_a_moment_is_a_time_or_an_age(text: str, at: object) -> None:
    assert queries.parse_moment(text, NOON) == at


@pytest.mark.parametrize(
    "text", ["yesterday", "99999999999w", f"{'9' * 150}d", "0001-01-01T00:00+14:00"]
)
def test_a_moment_that_cannot_be_read_says_how_to_write_one(text: str) -> None:
    with pytest.raises(TimeUnreadable, match="Write 2026-03-01T"):
        queries.parse_moment(text, NOON)
