"""Finding lines again, in the real store."""

from datetime import timedelta

import pytest

from steerway.telemetry.logs import queries
from steerway.telemetry.logs.errors import FilterInvalid
from steerway.telemetry.logs.rules.search import Filter
from steerway.telemetry.store import Cancel, Cancelled, Limits, QueryTooLarge, Store
from tests.cast import NOON
from tests.telemetry.logs.printing import HOUR, bodies, everything, printed

SECOND = timedelta(seconds=1)


def test_lines_come_newest_first(store: Store) -> None:
    printed(store, ["first", "second", "third"])

    assert bodies(queries.search(store, everything())) == ["third", "second", "first"]


def test_pages_continue_without_gap_or_repeat_also_among_lines_of_one_moment(store: Store) -> None:
    printed(store, [f"line {n % 4}" for n in range(50)], step=timedelta(0))

    seen, after = [], ""
    for _ in range(8):
        page = queries.search(store, everything(), after=after, rows=7)
        seen += bodies(page)
        after = page.next

    assert after == ""
    assert sorted(seen) == sorted(f"line {n % 4}" for n in range(50))


def test_pages_continue_across_stretches_of_silence(store: Store) -> None:
    for number, seconds in enumerate((0, 1, 900, 901, 3000, 3599)):
        printed(store, [f"{number}"], since=NOON + seconds * SECOND)

    seen, after = [], ""
    for _ in range(3):
        page = queries.search(store, everything(), after=after, rows=2)
        seen += bodies(page)
        after = page.next

    assert (seen, after) == (["5", "4", "3", "2", "1", "0"], "")


def test_lines_that_arrive_meanwhile_do_not_shift_a_page(store: Store) -> None:
    printed(store, [f"old {n}" for n in range(6)])
    first = queries.search(store, everything(), rows=3)
    printed(store, ["new"], since=NOON + 30 * SECOND)

    second = queries.search(store, everything(), rows=3, after=first.next)

    assert bodies(first) + bodies(second) == [f"old {n}" for n in range(5, -1, -1)]


@pytest.mark.parametrize(
    ("text", "match_case", "found"),
    [
        ("timeout", False, ["Timeout of ledger", "a 100% timeout"]),
        ("timeout", True, ["a 100% timeout"]),
        ("TIME", False, ["Timeout of ledger", "a 100% timeout"]),
        ('"of ledger"', False, ["Timeout of ledger"]),
        ("ledger of", False, ["Timeout of ledger"]),
        ('"ledger of"', False, []),
        ("timeout -ledger", False, ["a 100% timeout"]),
        ("100%", False, ["a 100% timeout"]),
        ("10_%", False, []),
        ("' OR 1=1 --", False, []),
        ("grüße", False, ["Grüße \\ back"]),
        ("\\", False, ["Grüße \\ back"]),
        ('"', False, []),
    ],
)
def test_words_and_phrases(store: Store, text: str, match_case: bool, found: list[str]) -> None:
    printed(store, ["Timeout of ledger", "a 100% timeout", "Grüße \\ back"])

    page = queries.search(store, everything(text=text, match_case=match_case))

    assert sorted(bodies(page)) == sorted(found)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"service": "shop"}, ["b", "a"]),
        ({"service": "ledger"}, ["c"]),
        ({"version": "v2"}, ["c"]),
        ({"severity": 17}, ["c"]),
        ({"instance": "shop.0"}, ["b", "a"]),
        ({"trace_id": "ab" * 16}, ["c"]),
        ({"attributes": {"user": "bob"}}, ["c"]),
        ({"attributes": {"user": "eve"}}, []),
        ({"attributes": {"absent": ""}}, []),
        ({"attributes": {"user": "bob", "cart": "7"}}, ["c"]),
        ({"environment": "testing"}, []),
    ],
)
def test_fields_narrow(store: Store, asked: dict[str, object], found: list[str]) -> None:
    printed(store, ["a", "b"])
    printed(
        store, ["c"], since=NOON + SECOND, service="ledger", version="v2", severity=17,
        instance="ledger.0", trace_id="ab" * 16, attributes={"user": "bob", "cart": "7"},
    )  # fmt: skip

    assert bodies(queries.search(store, everything(**asked))) == found


def test_the_end_of_the_span_is_not_in_it(store: Store) -> None:
    printed(store, ["a", "b"], step=SECOND)

    assert bodies(queries.search(store, Filter(since=NOON, until=NOON + SECOND))) == ["a"]


def test_windows_cover_the_span_without_gap_newest_first() -> None:
    asked = Filter(since=NOON, until=NOON + 24 * HOUR)

    cut = list(queries.windows(asked))

    assert cut[0].until == asked.until
    assert cut[-1].since == asked.since
    assert [w.since for w in cut[:-1]] == [w.until for w in cut[1:]]
    assert len(cut) <= 4


def test_the_histogram_counts_by_severity_and_leaves_silence_out(store: Store) -> None:
    printed(store, ["a"] * 3, severity=9)
    printed(store, ["b"], severity=18, since=NOON + 30 * SECOND)

    found = queries.histogram(store, Filter(since=NOON, until=NOON + 60 * SECOND))

    assert found.step == SECOND
    assert found.total == 4
    assert [(bar.starts_at, bar.counts) for bar in found.bars] == [
        (NOON, {"info": 3}),
        (NOON + 30 * SECOND, {"error": 1}),
    ]


def test_facets_count_values_and_attributes(store: Store) -> None:
    printed(store, ["a"] * 3, attributes={"user": "bob"})
    printed(store, ["b"], service="ledger", severity=17)

    found = {one.name: dict(one.values) for one in queries.facets(store, everything())}

    assert found["service"] == {"shop": 3, "ledger": 1}
    assert found["level"] == {"info": 3, "error": 1}
    assert found["attributes.user"] == {"bob": 3}


def test_the_lines_around_one_are_those_of_its_replica(store: Store) -> None:
    printed(store, [f"line {n}" for n in range(9)], step=SECOND)
    printed(store, ["another"], since=NOON + 4 * SECOND, instance="shop.1")
    line = queries.search(store, everything(text='"line 4"')).lines[0]

    around = queries.around(store, line.ts, service="shop", instance="shop.0", rows=2)

    assert bodies(around) == [f"line {n}" for n in (6, 5, 4, 3, 2)]


@pytest.mark.parametrize("after", ["x", "1-2", "-", "f" * 16 + "-1-1", "1-2-3-4"])
def test_a_cursor_that_is_not_ours_is_refused(store: Store, after: str) -> None:
    with pytest.raises(FilterInvalid, match="after"):
        queries.search(store, everything(), after=after)


def test_too_many_words_are_refused(store: Store) -> None:
    with pytest.raises(FilterInvalid, match="more than 20 words"):
        queries.search(store, everything(text="a " * 21))


def test_a_search_has_limits_and_can_be_cancelled(store: Store) -> None:
    printed(store, ["a"] * 100)
    cancel = Cancel()
    cancel.cancel()

    with pytest.raises(QueryTooLarge):
        queries.search(store, everything(), limits=Limits(rows_max=10))
    with pytest.raises(Cancelled):
        queries.search(store, everything(), cancel=cancel)
