"""What an address asks about lines and traces."""

from datetime import timedelta

from django.http import QueryDict

from steerway.platform.web import ranges
from steerway.telemetry.explore.pages import asking
from tests.cast import NOON

RANGE = ranges.of(QueryDict(""), NOON)


def test_an_address_is_a_filter_of_lines() -> None:
    asked = QueryDict("q=timeout+-health&service=shop&level=warn&attr=order%3D7&attr=broken")

    found = asking.lines(asked, RANGE)

    assert (found.text, found.service, found.severity) == ("timeout -health", "shop", 13)
    assert found.attributes == {"order": "7"}
    assert (found.since, found.until) == (RANGE.start, RANGE.end)


def test_an_address_is_a_filter_of_traces() -> None:
    found = asking.traces(QueryDict("service=shop&longer=250&status=error"), RANGE)

    assert (found.service, found.status) == ("shop", "error")
    assert found.min_duration == timedelta(milliseconds=250)


def test_a_length_that_is_no_number_asks_for_nothing() -> None:
    assert asking.traces(QueryDict("longer=nan"), RANGE).min_duration == timedelta(0)
    assert asking.traces(QueryDict("longer=x"), RANGE).min_duration == timedelta(0)


def test_a_condition_can_be_added_and_taken_away() -> None:
    asked = QueryDict("q=a&attr=x%3D1&after=zz")

    assert asking.also(asked, "attr", "y=2") == "q=a&attr=x%3D1&attr=y%3D2"
    assert asking.also(asked, "service", "shop") == "q=a&attr=x%3D1&service=shop"
    assert asking.chips(asked, ("service",)) == [("x", "1", "q=a")]


def test_parts_of_a_page_get_their_range_from_the_page() -> None:
    assert asking.bare(QueryDict("since=6h&q=a&from=1&until=2")) == "q=a"
