"""Values of descriptors: how they are written, what they become."""

from datetime import timedelta
from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from steerway.platform.descriptor.section import (
    Duration,
    DurationBetween,
    Mode,
    Name,
    Percent,
    Section,
    Size,
    duration,
    duration_text,
    size,
    size_text,
)


class Everything(Section):
    """A section with one value of each type."""

    duration: Duration = timedelta(seconds=30)
    short: Annotated[timedelta, DurationBetween("1s", "10s")] = timedelta(seconds=1)
    long: Annotated[Duration, Field(ge=timedelta(hours=1))] = timedelta(hours=1)
    size: Size = 256_000_000
    mode: Mode = 0o700
    percent: Percent = 5
    name: Name = "shop"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0s", timedelta(0)),
        ("500ms", timedelta(milliseconds=500)),
        ("30s", timedelta(seconds=30)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_duration_has_one_number_and_one_unit(text: str, value: timedelta) -> None:
    assert duration(text) == value
    assert duration_text(value) == text


@pytest.mark.parametrize("text", ["", "30", "1.5s", "-1s", "01s", "1m30s", "30 s", "9999999999d"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration|too long"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "value", "canonical"),
    [
        ("256MB", 256_000_000, "256MB"),
        ("1GiB", 1_073_741_824, "1GiB"),
        ("1024MiB", 1_073_741_824, "1GiB"),
        ("1000kB", 1_000_000, "1MB"),
        ("0B", 0, "0B"),
        ("1B", 1, "1B"),
    ],
)
def test_a_size_counts_in_thousands_or_in_1024(text: str, value: int, canonical: str) -> None:
    assert size(text) == value
    assert size_text(value) == canonical


def test_what_was_stored_is_read_back() -> None:
    section = Everything(duration=timedelta(minutes=2), size=10, mode=0o750)

    stored = section.model_dump(mode="json")

    assert stored["duration"] == "2m"
    assert stored["mode"] == "0750"
    assert Everything.stored(stored) == section


@pytest.mark.parametrize("written", [{"mode": "0750"}, {"mode": "750"}, {"mode": 750}])
def test_a_mode_is_octal_however_it_is_written(written: dict[str, object]) -> None:
    assert Everything.stored(written).mode == 0o750


@pytest.mark.parametrize(
    "written",
    [
        {"duration": 30},
        {"duration": "31d"},
        {"short": "11s"},
        {"long": "59m"},
        {"size": 256},
        {"size": "256"},
        {"mode": "0888"},
        {"mode": True},
        {"percent": 101},
        {"percent": "5"},
        {"name": "Shop"},
        {"name": "shop\n"},
        {"other": 1},
    ],
)
def test_what_is_out_of_bounds_or_of_another_kind_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Everything.stored(written)
