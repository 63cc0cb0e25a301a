"""The operators of JSON Logic that look at values only. Each takes its values as they come."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from steerway.delivery.variants.rules.values import (
    NAN,
    Json,
    contains,
    equal,
    is_true,
    number,
    ordered,
    same,
    text,
)
from steerway.delivery.variants.rules.versions import compared

Operator = Callable[..., Json]
Made = TypeVar("Made", str, list[Json])
MADE_MAX: Final = 65_536  # of text and lists; far beyond any variant's name


def _pair(test: Callable[[Json, Json], bool]) -> Operator:
    """An operator on two values, null where one is not given."""

    def applied(one: Json = None, other: Json = None, *_: Json) -> bool:
        return test(one, other)

    return applied


def _between(compare: Callable[[Any, Any], bool]) -> Operator:
    """An order of two values, or of three when the middle one is to lie between."""

    def applied(one: Json = None, two: Json = None, *rest: Json) -> bool:
        first = ordered(compare, one, two)
        return first and ordered(compare, two, rest[0]) if rest else first

    return applied


def _minus(one: Json = None, *rest: Json) -> float:
    return number(one) - number(rest[0]) if rest else -number(one)


def _divided(one: Json = None, other: Json = None, *_: Json) -> Json:
    by = number(other)
    return number(one) / by if by else None


def _remainder(one: Json = None, other: Json = None, *_: Json) -> Json:
    """What is left, with the sign of what is divided."""
    by, of = number(other), number(one)
    if not by or not math.isfinite(of):
        return None
    return math.fmod(of, by) if isinstance(of, float) or isinstance(by, float) else _rest(of, by)


def _rest(of: int, by: int) -> int:
    left = abs(of) % abs(by)
    return -left if of < 0 else left


def _sum(*values: Json) -> float:
    return sum(number(one) for one in values)


def _product(*values: Json) -> float:
    return math.prod(number(one) for one in values)


def _least(*values: Json) -> float:
    return min((number(one) for one in values), default=NAN)


def _greatest(*values: Json) -> float:
    return max((number(one) for one in values), default=NAN)


def _cat(*values: Json) -> str:
    return _bounded("".join(text(one) for one in values))


def _bounded(made: Made) -> Made:
    """What a rule makes has an end, also one that doubles what it made before."""
    if len(made) > MADE_MAX:
        raise ValueError(f"a rule made more than {MADE_MAX} characters or elements")
    return made


def _substr(whole: Json = "", start: Json = 0, length: Json = None, *_: Json) -> str:
    said = text(whole)
    begin = _index(start)
    rest = said[begin:] if begin >= 0 else said[max(0, len(said) + begin) :]
    return rest if length is None else rest[: _index(length)]


def _index(value: Json) -> int:
    found = number(value)
    return int(found) if math.isfinite(found) else 0


def _merged(*values: Json) -> list[Json]:
    found: list[Json] = []
    for one in values:
        found += one if isinstance(one, list) else [one]
    return _bounded(found)


def _starts(one: Json = None, *rest: Json) -> bool | None:
    """Null, and not false, for what is no text: then the default variant is chosen."""
    if len(rest) != 1 or not isinstance(one, str) or not isinstance(rest[0], str):
        return None
    return one.startswith(rest[0])


def _ends(one: Json = None, *rest: Json) -> bool | None:
    if len(rest) != 1 or not isinstance(one, str) or not isinstance(rest[0], str):
        return None
    return one.endswith(rest[0])


def _version(*values: Json) -> bool | None:
    return compared(*values) if len(values) == 3 else None  # noqa: PLR2004 -- two and a relation


OPERATORS: Final[Mapping[str, Operator]] = {
    "==": _pair(equal),
    "!=": _pair(lambda one, other: not equal(one, other)),
    "===": _pair(same),
    "!==": _pair(lambda one, other: not same(one, other)),
    "<": _between(operator.lt),
    "<=": _between(operator.le),
    ">": _between(operator.gt),
    ">=": _between(operator.ge),
    "!": lambda one=None, *_: not is_true(one),
    "!!": lambda one=None, *_: is_true(one),
    "+": _sum,
    "-": _minus,
    "*": _product,
    "/": _divided,
    "%": _remainder,
    "min": _least,
    "max": _greatest,
    "in": _pair(lambda part, whole: contains(whole, part)),
    "cat": _cat,
    "substr": _substr,
    "merge": _merged,
    "log": lambda one=None, *_: one,  # what a flag decides is not printed
    "starts_with": _starts,
    "ends_with": _ends,
    "sem_ver": _version,
}
