"""What a value without quotes means: the core schema of YAML 1.2, without its surprises."""

import math
import re
from typing import Final

from steerway.platform.descriptor.nodes import Value

INTEGER_MAX: Final = 2**53 - 1  # the largest that every JSON reader keeps exactly (RFC 8259, 6)

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class NotPlain(ValueError):
    """The value cannot be written without quotes; the message says why."""


def resolve(text: str) -> Value:
    """The value of `text` written without quotes.

    Octal (0o17, 017), hexadecimal, sexagesimal (1:30) and numbers with underscores stay text, as
    do dates, `yes`, `no`, `on` and `off`: a key that wants a number or a truth says so.

    Raises:
        NotPlain: a number that is not finite or that JSON cannot carry.
    Source: YAML 1.2.2, 10.3.2 (tag resolution of the core schema).
    """
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _NUMBER.fullmatch(text):
        return _number(text)
    if _NOT_FINITE.fullmatch(text):
        raise NotPlain(f"{text} is not a number that can be used here")
    return text


def _integer(text: str) -> int:
    digits_max = 20
    if len(text) > digits_max or abs(int(text)) > INTEGER_MAX:
        raise NotPlain(f"the number is beyond ±{INTEGER_MAX}")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotPlain("the number is too large")
    return value
