"""Metrics in the terminal."""

import math

import click
import pytest

from steerway.telemetry.metrics import cli


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "▁▂▃▄▅▆▇█"),
        ([5.0, 5.0], "▁▁"),
        ([1.0, math.nan, 2.0], "▁ █"),
    ],
)
def test_numbers_are_drawn_between_their_least_and_their_most(
    numbers: list[float], line: str
) -> None:
    assert cli.sparkline(numbers) == line


def test_a_long_row_of_numbers_fits_into_a_line() -> None:
    assert len(cli.sparkline([float(one) for one in range(1000)])) <= cli.COLUMNS


def test_lengths_of_time_are_read() -> None:
    assert cli._length("1h30m", "--since").total_seconds() == 5400
    with pytest.raises(click.BadParameter, match="no length of time"):
        cli._length("an hour", "--since")


def test_the_start_lies_so_long_before_the_end() -> None:
    assert cli._before("1000", cli._length("10m", "--since")) == "400.000"
    assert cli._before("1970-01-01T00:20:00Z", cli._length("10m", "--since")) == "600.000"
    with pytest.raises(click.BadParameter, match="no moment"):
        cli._before("noon", cli._length("10m", "--since"))


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (3.0, "3"), (0.12345, "0.1235"), (math.inf, "inf"), (123456789.0, "1.235e+08")],
)
def test_numbers_are_short(number: float, text: str) -> None:
    assert cli._shown(number) == text
