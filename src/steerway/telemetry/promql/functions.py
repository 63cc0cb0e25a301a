"""Functions of one vector at each moment by itself."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from steerway.telemetry.vectors.shapes import Bools, Floats, Scalar, Vector

Maps = Callable[[Floats], Floats]
Dates = NDArray[Any]

# What numpy's dates can hold is more than what has a calendar.
SECONDS_MAX: Final = 9.2e15


def _days(seconds: Floats) -> tuple[Dates, Bools]:
    """The days on which moments fall, and which moments fall on any."""
    held = np.isfinite(seconds) & (np.abs(seconds) < SECONDS_MAX)
    whole = np.trunc(np.where(held, seconds, 0.0)).astype("datetime64[s]")
    return whole.astype("datetime64[D]"), held


def _calendar(pick: Callable[[Dates], Dates]) -> Maps:
    def part(seconds: Floats) -> Floats:
        days, held = _days(seconds)
        return np.where(held, pick(days).astype(np.float64), np.nan)

    return part


def _day_of_month(days: Dates) -> Dates:
    return np.asarray((days - days.astype("datetime64[M]")).astype(np.int64) + 1)


def _month(days: Dates) -> Dates:
    return np.asarray(days.astype("datetime64[M]").astype(np.int64) % 12 + 1)


def _year(days: Dates) -> Dates:
    return days.astype("datetime64[Y]").astype(np.int64) + 1970


def _day_of_week(days: Dates) -> Dates:
    return np.asarray((days.astype(np.int64) + 4) % 7)  # the first day of 1970 was a Thursday


def _day_of_year(days: Dates) -> Dates:
    return np.asarray((days - days.astype("datetime64[Y]")).astype(np.int64) + 1)


def _days_in_month(days: Dates) -> Dates:
    month = days.astype("datetime64[M]")
    return np.asarray(
        ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)
    )


def _within_day(unit: float, of: float) -> Maps:
    def part(seconds: Floats) -> Floats:
        return np.floor(np.mod(np.trunc(seconds), of) / unit)

    return part


DATES: Final[dict[str, Maps]] = {
    "day_of_month": _calendar(_day_of_month),
    "day_of_week": _calendar(_day_of_week),
    "day_of_year": _calendar(_day_of_year),
    "days_in_month": _calendar(_days_in_month),
    "month": _calendar(_month),
    "year": _calendar(_year),
    "hour": _within_day(3600, 86_400),
    "minute": _within_day(60, 3600),
}


def _sign(values: Floats) -> Floats:
    return np.where(np.isnan(values) | (values == 0), values, np.sign(values))


MATHS: Final[dict[str, Maps]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "rad": lambda values: values * np.pi / 180,
    "deg": lambda values: values * 180 / np.pi,
    "sgn": _sign,
}


def clamp(vector: Vector, low: Floats, high: Floats) -> Vector:
    """Numbers moved between two limits; nothing where the limits are the wrong way round."""
    values = np.maximum(low, np.minimum(high, vector.values))
    return vector.numbers(values, vector.present & ~(high < low))


def rounded(vector: Vector, nearest: Floats) -> Vector:
    """Numbers at the nearest multiple; halves go up."""
    inverse = 1.0 / nearest
    return vector.numbers(np.floor(vector.values * inverse + 0.5) / inverse)


def scalar(vector: Vector) -> Scalar:
    """The number of the only series, or none."""
    held = vector.floats
    if not vector.size:
        return Scalar(np.full(vector.width, np.nan))
    only = vector.values[held.argmax(axis=0), np.arange(vector.width)]
    return Scalar(np.where(held.sum(axis=0) == 1, only, np.nan))


def ordered(vector: Vector, *, descending: bool) -> Vector:
    """The series by their value at the first moment; NaN comes last."""
    numbers = vector.take(np.asarray(vector.floats.any(axis=1)))
    values = numbers.values[:, 0] if numbers.size else np.zeros(0)
    keys = (np.where(np.isnan(values), 0.0, -values if descending else values), np.isnan(values))
    return numbers.take(np.lexsort(keys).astype(np.int64))
