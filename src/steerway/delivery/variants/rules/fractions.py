"""The operation `fractional`: shares of users, the same user always in the same one."""

from collections.abc import Callable, Sequence
from typing import Any

from steerway.delivery.variants.rules import buckets
from steerway.delivery.variants.rules.code import Closure, Code, constant
from steerway.delivery.variants.rules.values import Json


def fraction(
    code: Callable[[Json], Code],
    flag: str,
    arguments: Sequence[Json],
    finish: Callable[[Json], Json],
) -> Closure:
    """The variant whose share a context falls into; `finish` is applied to each beforehand."""
    none = finish(None)
    if not arguments:
        return lambda _: none
    is_short = isinstance(arguments[0], list)
    place = buckets.by_user(flag) if is_short else _by_value(code(arguments[0]).run)
    shares = [_share(code, one) for one in arguments[0 if is_short else 1 :]]
    if any(share is None for share in shares):
        return lambda _: none
    parts = [share for share in shares if share is not None]
    if all(variant.is_constant and weight.is_constant for variant, weight in parts):
        weights = _weights([weight.constant for _, weight in parts])
        if weights is None:
            return lambda _: none
        outcomes = [finish(variant.constant) for variant, _ in parts]
        return _placed(place, buckets.limits(weights), outcomes, none)

    def weighed(c: Any) -> Json:
        found, weights = place(c), _weights([weight.run(c) for _, weight in parts])
        if found is None or weights is None:
            return none
        ends = buckets.limits(weights)
        return finish(
            next(v.run(c) for (v, _), end in zip(parts, ends, strict=True) if found < end)
        )

    return weighed


def _placed(
    place: Callable[[Any], int | None], ends: Sequence[int], outcomes: Sequence[Json], none: Json
) -> Closure:
    if len(ends) == 2:  # noqa: PLR2004 -- this much and the rest: most rollouts
        end, (first, second) = ends[0], outcomes

        def halved(c: Any) -> Json:
            found = place(c)
            if found is None:
                return none
            return first if found < end else second

        return halved

    def among(c: Any) -> Json:
        found = place(c)
        if found is None:
            return none
        return next(outcome for end, outcome in zip(ends, outcomes, strict=True) if found < end)

    return among


def _by_value(value: Closure) -> Callable[[Any], int | None]:
    def place(c: Any) -> int | None:
        found = value(c)
        if found is None:
            return None
        try:
            return buckets.bucket(found)
        except ValueError:
            return None

    return place


def _share(code: Callable[[Json], Code], one: Json) -> tuple[Code, Code] | None:
    """A variant and its weight; None for what is no share."""
    if not isinstance(one, list) or len(one) not in {1, 2}:
        return None
    weight = code(one[1]) if len(one) > 1 else constant(1)
    return code(one[0]), weight


def _weights(found: Sequence[Json]) -> list[int] | None:
    """Weights that can be used. A negative one, which a calculation may end in, is zero."""
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in found):
        return None
    weights = [max(0, one) for one in found]
    return weights if 0 < sum(weights) <= buckets.WEIGHTS_MAX else None
