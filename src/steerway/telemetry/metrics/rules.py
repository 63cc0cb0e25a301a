"""What a query answers, and what it may cost. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from steerway.telemetry.metrics.errors import RangeInvalid
from steerway.telemetry.promql.evaluation import Value
from steerway.telemetry.vectors.shapes import Grid

POINTS_MAX: Final = 11_000  # of one series, as in Prometheus


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """The most that one query may take."""

    seconds: float = 30.0
    memory_bytes: int = 256 * 1024 * 1024
    cells: int = 20_000_000
    points: int = POINTS_MAX


DEFAULT: Final = QueryLimits()


@dataclass(frozen=True, slots=True)
class Answer:
    """The value of a query. `kind` is scalar, vector, matrix or string, as in Prometheus.

    `value` has a column for each moment of `grid`; series come in the order they are to be shown.
    """

    kind: str
    value: Value
    grid: Grid


def milliseconds(moment: datetime) -> int:
    """A moment as the store counts time."""
    return round(moment.timestamp() * 1000)


def at(milliseconds_: int) -> Grid:
    """The grid of one moment."""
    return Grid(milliseconds_, milliseconds_, 1)


def grid(start: int, end: int, step: int, points_max: int = POINTS_MAX) -> Grid:
    """The moments of a range query.

    Raises:
        RangeInvalid: they make no sense, or are too many.
    """
    if end < start:
        raise RangeInvalid(why="end timestamp must not be before start time")
    if step <= 0:
        raise RangeInvalid(
            why="zero or negative query resolution step widths are not accepted. "
            "Try a positive integer"
        )
    found = Grid(start, end, step)
    if found.size > points_max:
        raise RangeInvalid(
            why=f"exceeded maximum resolution of {points_max:,} points per timeseries. "
            "Try decreasing the query resolution (?step=XX)"
        )
    return found
