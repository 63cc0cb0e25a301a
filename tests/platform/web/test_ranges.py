"""The range of a page, from its address."""

from datetime import timedelta

import pytest
from django.http import QueryDict

from steerway.platform.web import ranges
from tests.cast import NOON

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("query", "start", "end"),
    [
        ("", NOON - HOUR, NOON),
        ("since=6h", NOON - 6 * HOUR, NOON),
        ("since=30d", NOON - timedelta(days=30), NOON),
        ("from=2026-03-02T10:00:00Z&until=2026-03-02T11:00:00Z", NOON - 2 * HOUR, NOON - HOUR),
        ("from=1772445600&until=1772449200.0", NOON - 2 * HOUR, NOON - HOUR),
        ("from=2026-03-02T10:00:00&until=2026-03-02T11:00:00", NOON - 2 * HOUR, NOON - HOUR),
        ("since=nonsense", NOON - HOUR, NOON),
        ("since=99999d", NOON - HOUR, NOON),
        ("from=2026-03-02T11:00:00Z&until=2026-03-02T10:00:00Z", NOON - HOUR, NOON),
        ("from=1e400&until=2", NOON - HOUR, NOON),
        ("from=9999999999999999&until=99999999999999999", NOON - HOUR, NOON),
    ],
)
def test_an_address_has_a_range(query: str, start: object, end: object) -> None:
    found = ranges.of(QueryDict(query), NOON)

    assert (found.start, found.end) == (start, end)


def test_a_range_that_ends_now_is_called_by_its_length_and_others_by_their_ends() -> None:
    live = ranges.of(QueryDict("since=24h"), NOON)
    fixed = ranges.of(QueryDict("from=2026-03-02T10:00:00Z&until=2026-03-02T11:30:00Z"), NOON)

    assert (live.words, live.query) == ("Last 24 hours", "since=24h")
    assert fixed.words == "2 Mar 10:00 - 2 Mar 11:30"
    assert fixed.query == "from=2026-03-02T10:00:00Z&until=2026-03-02T11:30:00Z"
