"""Rules in words: what a product owner reads on the page of a flag. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

REST: Final = "Everybody else"
WORDS: Final = {
    "==": "is", "===": "is", "!=": "is not", "!==": "is not", "<": "is less than",
    "<=": "is at most", ">": "is more than", ">=": "is at least", "starts_with": "starts with",
    "ends_with": "ends with", "+": "plus", "-": "minus", "*": "times", "/": "divided by",
}  # fmt: skip
NAMES: Final = {"targetingKey": "the user", "$flagd.flagKey": "the flag", "$flagd.timestamp": "now"}
LENGTH_MAX: Final = 300
LINES_MAX: Final = 30


def told(definition: Mapping[str, Any], evaluators: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rules of a flag, in order: who, and what they have."""
    if definition.get("state") == "DISABLED":
        return [("Everybody", "whatever the code falls back to: the flag is disabled")]
    default = str(definition.get("defaultVariant") or "whatever the code falls back to")
    rule = definition.get("targeting")
    if not rule:
        return [("Everybody", default)]
    lines = _lines(rule, evaluators, default)
    if lines and lines[0][0] == REST:
        lines[0] = ("Everybody", lines[0][1])
    return [(who[:LENGTH_MAX], what[:LENGTH_MAX]) for who, what in lines[:LINES_MAX]]


def _lines(rule: Any, evaluators: Mapping[str, Any], default: str) -> list[tuple[str, str]]:
    if not isinstance(rule, Mapping) or len(rule) != 1:
        return [(REST, default if rule is None else _named(rule))]
    name, given = next(iter(rule.items()))
    arguments = given if isinstance(given, list) else [given]
    if name == "fractional":
        return [(REST, _shares(arguments, default))]
    if name not in {"if", "?:"}:
        return [(REST, f"the variant that this says: {_said(rule, evaluators)}")]
    found: list[tuple[str, str]] = []
    for condition, outcome in zip(arguments[::2], arguments[1::2], strict=False):
        who = f"When {_said(condition, evaluators)}"
        inner = _lines(outcome, evaluators, default)
        found += [(who if w == REST else f"{who} and {w[5:]}", what) for w, what in inner]
    return found + _lines(arguments[-1] if len(arguments) % 2 else None, evaluators, default)


def _shares(arguments: list[Any], default: str) -> str:
    shares = [one for one in arguments if isinstance(one, list) and one]
    weights = [one[1] if len(one) > 1 else 1 for one in shares]
    if not shares or not all(isinstance(w, int) for w in weights) or sum(weights) <= 0:
        return f"a share that is worked out, else {default}"
    total = sum(weights)
    said = [
        f"{100 * w / total:.4g} % {_named(one[0])}" for w, one in zip(weights, shares, strict=True)
    ]
    return ", ".join(said)


def _said(rule: Any, evaluators: Mapping[str, Any]) -> str:
    if not isinstance(rule, Mapping) or len(rule) != 1:
        return _value(rule)
    name, given = next(iter(rule.items()))
    arguments = given if isinstance(given, list) else [given]
    if name == "var":
        path = arguments[0] if arguments else ""
        return NAMES.get(path, str(path)) if isinstance(path, str) else "a field"
    if name == "$ref":
        return f"{given} (" + _said(evaluators.get(given), {}) + ")"
    parts = [_said(one, evaluators) for one in arguments]
    return _joined(name, parts)


def _joined(name: str, parts: list[str]) -> str:
    if name in {"and", "or"}:
        return f" {name} ".join(parts)
    if name == "!" and parts:
        return f"not ({parts[0]})"
    if name == "!!" and parts:
        return f"{parts[0]} is given"
    if name == "sem_ver" and len(parts) == 3:  # noqa: PLR2004 -- two versions and a relation
        return f"version {' '.join(part.strip(chr(34)) for part in parts)}"
    if len(parts) == 2:  # noqa: PLR2004 -- what stands left and right
        return _between(name, *parts)
    return f"{name}({', '.join(parts)})"


def _between(name: str, left: str, right: str) -> str:
    if name == "in":
        is_text = left.startswith('"')
        return f"{right} contains {left}" if is_text else f"{left} is one of {right}"
    return f"{left} {WORDS[name]} {right}" if name in WORDS else f"{name}({left}, {right})"


def _named(variant: Any) -> str:
    """A variant as it is called; what is worked out, as it is written."""
    return variant if isinstance(variant, str) else _value(variant)


def _value(value: Any) -> str:
    return value if isinstance(value, str) and not value else json.dumps(value, ensure_ascii=False)
