"""A filter as SQL. Whatever comes from outside is bound, never written into it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from steerway.telemetry.logs.rules.search import Filter, Term, terms

TIME: Final = "ts >= {since:DateTime64(6)} AND ts < {until:DateTime64(6)}"
EQUAL: Final = ("service", "environment", "version", "instance", "source", "trace_id")
_WILD: Final = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


class Asked(Protocol):
    """What every filter has: a stretch of time."""

    @property
    def since(self) -> datetime:
        """Its beginning."""

    @property
    def until(self) -> datetime:
        """Its end, exclusive."""


def where(asked: Filter) -> tuple[str, dict[str, object]]:
    """The condition of a filter, and what its parameters are."""
    parts, params = within(asked, EQUAL)
    if asked.severity:
        parts.append("severity >= {severity:UInt8}")
        params["severity"] = asked.severity
    for number, term in enumerate(terms(asked.text)):
        parts.append(_contains(f"term{number}", term, match_case=asked.match_case))
        params[f"term{number}"] = f"%{term.text.translate(_WILD)}%"
    parts += attributes(asked.attributes, params)
    return " AND ".join(parts), params


def within(asked: Asked, names: Sequence[str]) -> tuple[list[str], dict[str, object]]:
    """Conditions on the time and on the named fields that are asked for; what they bind."""
    parts = [TIME]
    params: dict[str, object] = {"since": asked.since, "until": asked.until}
    for name in names:
        if value := getattr(asked, name):
            parts.append(f"{name} = {{{name}:String}}")
            params[name] = value
    return parts, params


def attributes(asked: Mapping[str, str], params: dict[str, object]) -> list[str]:
    """Conditions on attributes; what they bind is added to `params`."""
    parts = []
    for number, (name, value) in enumerate(asked.items()):
        params[f"name{number}"], params[f"value{number}"] = name, value
        parts.append(f"attributes[{{name{number}:String}}] = {{value{number}:String}}")
        if not value:
            parts.append(f"mapContains(attributes, {{name{number}:String}})")
    return parts


def _contains(name: str, term: Term, *, match_case: bool) -> str:
    like = "LIKE" if match_case else "ILIKE"
    return f"body {'NOT ' if term.is_excluded else ''}{like} {{{name}:String}}"
