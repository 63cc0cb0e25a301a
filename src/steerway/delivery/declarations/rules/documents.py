"""The flags of one environment as one flagd file: definitions, and what lies over them. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from steerway.delivery.declarations.errors import RestUnclear
from steerway.delivery.declarations.rules.exposing import Exposure, exposed, turned_off

SCHEMA: Final = "https://flagd.dev/schema/v0/flags.json"


@dataclass(frozen=True, slots=True)
class Decided:
    """What Steerway was told about a flag in an environment; it lies over the definition."""

    is_off: bool = False
    exposure: Exposure | None = None


NOTHING: Final = Decided()


def in_environment(definition: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with what the file says for one environment; null takes a value away."""
    merged = {**definition, **override}
    return {key: one for key, one in merged.items() if one is not None or key == "defaultVariant"}


def in_force(key: str, definition: Mapping[str, Any], decided: Decided) -> dict[str, Any]:
    """The flag as it is evaluated.

    Where the file's rule has changed so that an exposure fits it no more, the file holds: an
    exposure that nobody can follow must not stand in the way of a flag.
    """
    if decided.is_off:
        return turned_off(definition)
    if decided.exposure is None:
        return dict(definition)
    try:
        return exposed(key, definition, decided.exposure)
    except RestUnclear:
        return dict(definition)


def document(
    flags: Mapping[str, Mapping[str, Any]], evaluators: Mapping[str, Any], shared: Mapping[str, Any]
) -> str:
    """The file that replicas and flagd read: one text for equal flags."""
    whole: dict[str, Any] = {"$schema": SCHEMA, "flags": dict(sorted(flags.items()))}
    if evaluators:
        whole["$evaluators"] = evaluators
    if shared:
        whole["metadata"] = shared
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def etag(text: str) -> str:
    """The digest by which a reader knows that it has this text already."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def overrides(document: Mapping[str, Any], environment: str, key: str) -> Mapping[str, Any]:
    """What a file says about a flag for one environment alone."""
    found: Mapping[str, Any] = document.get("$environments", {}).get(environment, {}).get(key, {})
    return found


def total(counts: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, int]:
    """Evaluations by flag, of all who counted."""
    found: dict[str, int] = {}
    for one in counts:
        for key, variants in one.items():
            found[key] = found.get(key, 0) + sum(variants.values())
    return found


def file_of(home: Path, service: str, environment: str) -> Path:
    """Where the replicas of a service in an environment find their flags."""
    return home / "flags" / service / f"{environment}.json"


def reports_of(home: Path, service: str, environment: str) -> Path:
    """Where they leave what they have counted: one file each, beside their flags."""
    return home / "flags" / service / f"{environment}.seen"
