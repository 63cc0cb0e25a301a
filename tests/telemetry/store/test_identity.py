"""One number for one series, for ever."""

import pytest

from steerway.telemetry.store import series_id


def test_a_series_has_one_id_whatever_the_order_of_its_labels() -> None:
    assert series_id("m", {"a": "1", "b": "2"}) == series_id("m", {"b": "2", "a": "1"})
    assert series_id("m", {"a": "1", "b": ""}) == series_id("m", {"a": "1"})
    assert series_id("m", {"a": "1"}) == 13354732761028433010


@pytest.mark.parametrize(
    "other", [("m", {"a": "12"}), ("m", {"a1": "2"}), ("ma", {"1": "2"}), ("m", {})]
)
def test_other_series_have_other_ids(other: tuple[str, dict[str, str]]) -> None:
    assert series_id(*other) != series_id("m", {"a": "1", "2": "x"})
