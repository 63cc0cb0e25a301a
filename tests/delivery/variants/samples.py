"""Flags of the tests, in flagd's format, and how they are asked for."""

from typing import Any

from steerway.delivery.variants.rules.flagsets import FlagSet, Outcome, compiled

AT = 1_772_452_800  # noon of the cast, in seconds


def flag(targeting: Any = None, *names: str, default: str | None = "off", **more: Any) -> Any:
    """One flag whose variants are called as their values, or on and off."""
    variants: dict[str, Any] = {name: name for name in names} or {"on": True, "off": False}
    rule = {} if targeting is None else {"targeting": targeting}
    return {"state": "ENABLED", "variants": variants, "defaultVariant": default, **rule, **more}


def flags(**by_key: Any) -> FlagSet:
    """A set of flags; an underscore in a name is a hyphen."""
    found = {key.replace("_", "-"): one for key, one in by_key.items()}
    return compiled({"flags": found}, now=lambda: AT)


def outcome(targeting: Any, context: dict[str, Any], *names: str, **more: Any) -> Outcome:
    """What a rule comes to."""
    return flags(it=flag(targeting, *names, **more)).evaluate("it", context)


def decided(rule: Any, context: dict[str, Any]) -> Any:
    """The value of a rule, seen through a flag: the name of the variant, or None."""
    shown = outcome(rule, context, default=None)
    return shown.message.rpartition("variant ")[2].rstrip(".") if shown.error else shown.variant
