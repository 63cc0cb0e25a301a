"""How a number is written and read. Pure."""

from typing import Final

DIGITS_MAX: Final = 18  # what a column of numbers holds


def number_of(ref: str) -> int:
    """The number in `CHG-12`, `chg-12` or `12`; 0, which nothing has, when there is none."""
    digits = ref.rpartition("-")[2]
    return int(digits) if digits.isdecimal() and len(digits) <= DIGITS_MAX else 0
