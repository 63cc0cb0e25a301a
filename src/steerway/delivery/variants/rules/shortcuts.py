"""Closures that do in one call what several would, for the shapes most rules have."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from steerway.delivery.variants.rules.code import Closure, Code
from steerway.delivery.variants.rules.operators import Operator
from steerway.delivery.variants.rules.values import Json, contains, equal


def field(name: str, default: Code) -> Code:
    """One field of the context."""
    if default.constant is None:
        return Code(lambda c: c.get(name), name=name)
    otherwise = default.run

    def given(c: Any) -> Json:
        found = c.get(name)
        return otherwise(c) if found is None else found

    return Code(given)


def applied_to(name: str, applied: Operator, parts: Sequence[Code]) -> Code:
    """An operator with its values; in one call where the shape allows it."""
    quick = _QUICK[name](parts[0], parts[1]) if name in _QUICK and len(parts) == 2 else None  # noqa: PLR2004
    if quick is not None:
        return Code(quick)
    runs = [part.run for part in parts]
    if len(runs) == 1:
        (only,) = runs
        return Code(lambda c: applied(only(c)))
    if len(runs) == 2:  # noqa: PLR2004 -- the usual number
        one, other = runs
        return Code(lambda c: applied(one(c), other(c)))
    return Code(lambda c: applied(*[run(c) for run in runs]))


def _quick_equal(one: Code, other: Code) -> Closure | None:
    """A field of the context and a text."""
    if isinstance(one.constant, str):
        one, other = other, one
    name, wanted = one.name, other.constant
    if not name or not isinstance(wanted, str):
        return None

    def found_equal(c: Any) -> Json:
        found = c.get(name)
        return found == wanted if isinstance(found, str) else equal(found, wanted)

    return found_equal


def _quick_same(one: Code, other: Code) -> Closure | None:
    if isinstance(one.constant, str):
        one, other = other, one
    name, wanted = one.name, other.constant
    if not name or not isinstance(wanted, str):
        return None
    return lambda c: isinstance(found := c.get(name), str) and found == wanted


def _quick_in(one: Code, other: Code) -> Closure | None:
    """A text in a field of the context, or a field in a list of texts."""
    part, name = one.constant, other.name
    if name and isinstance(part, str):

        def within(c: Any) -> Json:
            found = c.get(name)
            return part in found if isinstance(found, str) else contains(found, part)

        return within
    whole, name = other.constant, one.name
    if not name or not isinstance(whole, list) or not all(isinstance(w, str) for w in whole):
        return None
    wanted = frozenset(whole)

    def among(c: Any) -> Json:
        found = c.get(name)
        return isinstance(found, str) and found in wanted

    return among


def _quick_start(one: Code, other: Code) -> Closure | None:
    name, start = one.name, other.constant
    if not name or not isinstance(start, str):
        return None
    return lambda c: found.startswith(start) if isinstance(found := c.get(name), str) else None


def _quick_end(one: Code, other: Code) -> Closure | None:
    name, end = one.name, other.constant
    if not name or not isinstance(end, str):
        return None
    return lambda c: found.endswith(end) if isinstance(found := c.get(name), str) else None


_QUICK: Final[Mapping[str, Callable[[Code, Code], Closure | None]]] = {
    "==": _quick_equal,
    "===": _quick_same,
    "in": _quick_in,
    "starts_with": _quick_start,
    "ends_with": _quick_end,
}
