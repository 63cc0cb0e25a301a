"""How JSON Logic reads values: as truth, number or text, and how it compares them.

Source: jsonlogic.com and json-logic-js, whose habits are JavaScript's; nothing here raises.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Json = Any
NAN: Final = math.nan
FLOAT_DIGITS: Final = 15  # what a number is written with when it becomes text
INTEGER_MAX: Final = 2**63
WORDS: Final[Mapping[bool | None, str]] = {None: "null", True: "true", False: "false"}
# Python reads these words as numbers, JavaScript does not.
NO_NUMBERS: Final = ("inf", "-inf", "+inf", "infinity", "-infinity", "+infinity", "nan")


def is_true(value: Json) -> bool:
    """Whether a condition holds: empty text, zero, null and an empty list do not."""
    if value is True or value is False:
        return bool(value)
    if value is None:
        return False
    if isinstance(value, float) and math.isnan(value):
        return False
    return True if isinstance(value, Mapping) else bool(value)


def number(value: Json) -> float:
    """The value as a number; NaN when it is none."""
    if isinstance(value, int | float):  # true is 1, as there
        return value if -INTEGER_MAX <= value <= INTEGER_MAX else _large(value)
    if value is None:
        return 0
    if isinstance(value, str):
        return _number_of(value.strip())
    if isinstance(value, Sequence) and len(value) < 2:  # noqa: PLR2004 -- of none or one
        return number(value[0]) if value else 0
    return NAN


def _large(value: float) -> float:
    """Whole numbers grow no further than this, or a rule could have them grow without end."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _number_of(text: str) -> float:
    if not text:
        return 0
    if "_" in text or text.lower() in NO_NUMBERS:
        return NAN
    try:
        return float(text)
    except ValueError:
        return NAN


def text(value: Json) -> str:
    """The value as text."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return WORDS[value]
    if isinstance(value, float):
        return f"{value:.{FLOAT_DIGITS}g}"
    if isinstance(value, Mapping):
        return "[object Object]"
    if isinstance(value, Sequence):
        return ",".join(text(one) for one in value)
    return str(value)


def equal(one: Json, other: Json) -> bool:
    """Whether two values are alike, where 1 and "1" are (`==`)."""
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    if one is None or other is None:
        return one is other
    if isinstance(one, Mapping | list) and isinstance(other, Mapping | list):
        return one is other
    if isinstance(one, Mapping | list) and isinstance(other, str):
        return text(one) == other
    if isinstance(other, Mapping | list) and isinstance(one, str):
        return one == text(other)
    return bool(number(one) == number(other))


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same and of one kind (`===`); 1 and 1.0 are."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def ordered(compare: Callable[[Any, Any], bool], one: Json, other: Json) -> bool:
    """Whether `compare` holds: for two texts as texts, else as numbers."""
    if isinstance(one, str) and isinstance(other, str):
        return compare(one, other)
    return compare(number(one), number(other))


def contains(whole: Json, part: Json) -> bool:
    """Whether a list has an element, or a text a part."""
    if isinstance(whole, str):
        return text(part) in whole
    return isinstance(whole, list | tuple) and any(same(one, part) for one in whole)


def at(data: Json, path: Json) -> Json:
    """What lies at a path such as `user.name` or `tags.0`; None when nothing does."""
    if path is None or path == "":
        return data
    for step in text(path).split("."):
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list | tuple | str):
            data = _element(data, step)
        else:
            return None
    return data


def _element(data: Sequence[Json], step: str) -> Json:
    if step == "length":
        return len(data)
    is_index = step.isascii() and step.isdecimal() and len(step) <= FLOAT_DIGITS
    return data[int(step)] if is_index and int(step) < len(data) else None
