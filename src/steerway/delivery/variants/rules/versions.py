"""Semantic versions as flagd's `sem_ver` compares them.

Source: semver.org 2.0.0, clause 11; flagd: a leading v is ignored, 1.2 is 1.2.0, build
metadata does not count.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

_IDENTIFIERS: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_NUMBER: Final = r"(0|[1-9]\d{0,17})"
_VERSION: Final = re.compile(
    rf"[vV]?{_NUMBER}(?:\.{_NUMBER})?(?:\.{_NUMBER})?(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?",
    re.ASCII,
)
LENGTH_MAX: Final = 256  # characters of a version that are looked at
REMEMBERED: Final = 1024  # versions of clients repeat themselves

# Major, minor and patch; whether it is released; then what stands behind the hyphen.
Version = tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]


@lru_cache(maxsize=REMEMBERED)
def parsed(written: str) -> Version | None:
    """The version in a form that Python compares rightly; None when it is none."""
    found = _VERSION.fullmatch(written) if len(written) <= LENGTH_MAX else None
    if found is None:
        return None
    major, minor, patch, before = found.groups()
    labels = tuple(_label(one) for one in before.split(".")) if before else ()
    if any(label is None for label in labels):
        return None
    known = tuple(label for label in labels if label is not None)
    return int(major), int(minor or 0), int(patch or 0), before is None, known


def _label(one: str) -> tuple[bool, int, str] | None:
    """Numbers come before words; a number has no leading zero."""
    if not one.isdecimal():
        return True, 0, one
    return None if len(one) > 1 and one[0] == "0" else (False, int(one), "")


RELATIONS: Final[Mapping[str, Callable[[Version, Version], bool]]] = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "^": lambda one, other: one[0] == other[0],
    "~": lambda one, other: one[:2] == other[:2],
}


def compared(one: Any, relation: Any, other: Any) -> bool | None:
    """Whether `one relation other` holds; None when it cannot be said."""
    holds = RELATIONS.get(relation) if isinstance(relation, str) else None
    left, right = parsed(str(one)[: LENGTH_MAX + 1]), parsed(str(other)[: LENGTH_MAX + 1])
    if holds is None or left is None or right is None:
        return None
    return holds(left, right)
