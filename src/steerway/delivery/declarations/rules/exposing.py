"""Which share of users a variant reaches, and the same flag with another share. Pure.

A rule ends somewhere: in what everybody has whom it did not decide about. That end, the rest,
is what a rollout moves; what the rule says about particular users stays as it is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from steerway.delivery.declarations.errors import RestUnclear

Definition = Mapping[str, Any]  # of one flag, as its file has it
TOTAL: Final = 10_000  # shares are kept to a hundredth of a percent
PER_PERCENT: Final = 100
WHOLE: Final = 100.0
OFF_NAMES: Final = ("off", "false", "disabled", "control")


@dataclass(frozen=True, slots=True)
class Exposure:
    """A variant for a share of those that no rule decides about, and another for the others.

    Units: `percent` in 0..100.
    """

    variant: str
    rest: str
    percent: float

    def as_json(self) -> dict[str, Any]:
        """The same, to be kept."""
        return {"variant": self.variant, "rest": self.rest, "percent": self.percent}


def off_variant(definition: Definition) -> str | None:
    """The variant that means off: said in metadata, the false one, one called so, the default."""
    variants = definition["variants"]
    said = definition.get("metadata", {}).get("off")
    if said in variants:
        return str(said)
    if false := next((name for name, value in variants.items() if value is False), None):
        return str(false)
    named = next((name for name in OFF_NAMES if name in variants), None)
    default = definition.get("defaultVariant")
    return named or (None if default is None else str(default))


def main_variant(definition: Definition) -> str:
    """The variant that a rollout is about, when none is named: the first that is not off."""
    off = off_variant(definition)
    return str(next((name for name in definition["variants"] if name != off), off))


def rest_of(definition: Definition, variant: str) -> str:
    """The variant of those that do not have `variant`: off, or the first other one."""
    off = off_variant(definition)
    if off is not None and off != variant:
        return off
    return str(next((name for name in definition["variants"] if name != variant), variant))


def turned_off(definition: Definition) -> dict[str, Any]:
    """The flag with its off variant for everybody; disabled where it has none."""
    off = off_variant(definition)
    rest = {key: one for key, one in definition.items() if key != "targeting"}
    return rest | ({"state": "DISABLED"} if off is None else {"defaultVariant": off})


def exposed(key: str, definition: Definition, exposure: Exposure) -> dict[str, Any]:
    """The flag with another share for the rest of its users.

    A user who has the variant keeps it while its share grows: shares keep their order.

    Raises:
        RestUnclear: its rule has no rest, or one of more than two variants.
    """
    rule = definition.get("targeting") or None
    return {
        **definition,
        "state": "ENABLED",
        "targeting": _moved(key, rule, exposure),
    }


def _moved(key: str, rule: Any, exposure: Exposure) -> Any:
    if rule is None or isinstance(rule, str | bool):
        return {"fractional": _shares(exposure, [])}
    name, given = next(iter(rule.items()))
    arguments = given if isinstance(given, list) else [given]
    if name == "fractional":
        by = [] if not arguments or isinstance(arguments[0], list) else arguments[:1]
        written = arguments[len(by) :]
        _refuse_many(key, written, exposure)
        return {"fractional": [*by, *_shares(exposure, written)]}
    if name not in {"if", "?:"}:
        raise RestUnclear(flag=key, why="its rule does not end in 'everybody else'")
    if len(arguments) % 2:
        return {name: [*arguments[:-1], _moved(key, arguments[-1], exposure)]}
    return {name: [*arguments, _moved(key, None, exposure)]}


def _refuse_many(key: str, written: list[Any], exposure: Exposure) -> None:
    names = [one[0] for one in written if isinstance(one, list) and one]
    used = {name for name in names if isinstance(name, str)}
    if len(used) != len(written) or used - {exposure.variant, exposure.rest}:
        raise RestUnclear(flag=key, why="its rule shares users among other variants too")


def _shares(exposure: Exposure, written: list[Any]) -> list[list[Any]]:
    weight = round(exposure.percent * PER_PERCENT)
    own, other = [exposure.variant, weight], [exposure.rest, TOTAL - weight]
    comes_last = bool(written) and written[0][0] == exposure.rest
    return [other, own] if comes_last else [own, other]


def share(definition: Definition, variant: str) -> float | None:
    """The percentage of the rest that has `variant`; None when it cannot be said."""
    if definition.get("state") == "DISABLED":
        return 0.0
    return _share(definition.get("targeting") or None, definition.get("defaultVariant"), variant)


def _share(rule: Any, default: Any, variant: str) -> float | None:
    if rule is None:
        return WHOLE if default == variant else 0.0
    if isinstance(rule, str):
        return WHOLE if rule == variant else 0.0
    if not isinstance(rule, Mapping) or len(rule) != 1:
        return None
    name, given = next(iter(rule.items()))
    arguments = given if isinstance(given, list) else [given]
    if name in {"if", "?:"}:
        return _share(arguments[-1] if len(arguments) % 2 else None, default, variant)
    return _fraction(arguments, variant) if name == "fractional" else None


def _fraction(arguments: list[Any], variant: str) -> float | None:
    written = [one for one in arguments if isinstance(one, list) and one]
    weights = [one[1] if len(one) > 1 else 1 for one in written]
    if not all(isinstance(one, int) for one in weights) or sum(weights) <= 0:
        return None
    own = sum(w for w, one in zip(weights, written, strict=True) if one[0] == variant)
    return round(WHOLE * own / sum(weights), 2)
