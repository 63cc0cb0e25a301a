"""What a descriptor declares, and what is different from what is in force. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, TypedDict

EVENTS: Final[Mapping[str, str]] = {
    "service.applied": "A descriptor is in force; every difference to the one before.",
    "service.paused": "Somebody took Steerway's hands off a service; why.",
    "service.resumed": "Steerway looks after a service again.",
}


class State(StrEnum):
    """Whether a service or an environment is in use."""

    ACTIVE = "active"
    RETIRED = "retired"


class Effect(StrEnum):
    """What applying a descriptor does to an environment."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REMOVED = "removed"


class Written(TypedDict):
    """One value of a descriptor: what it is, and how it may be shown (secrets are not)."""

    value: Any
    shown: str


@dataclass(frozen=True, slots=True)
class DeclaredEnvironment:
    """What is in force in one environment. `digest` covers what a release is started with."""

    name: str
    resolved: dict[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Declared:
    """A valid descriptor as the catalog keeps it.

    `written` has every value that the user wrote by its path; `lines` says where.
    """

    name: str
    description: str
    owners: tuple[str, ...]
    file: str
    text: str
    digest: str
    written: dict[str, Written]
    lines: dict[str, int]
    environments: tuple[DeclaredEnvironment, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not what it was; None where there was or is none."""

    path: str
    old: str | None
    new: str | None
    file: str
    line: int | None

    def __str__(self) -> str:
        """`~ run.replicas: 2 -> 3  (steerway.yaml:14)`."""
        where = f"  ({self.file}:{self.line})" if self.line else ""
        if self.old is None:
            return f"+ {self.path}: {self.new}{where}"
        if self.new is None:
            return f"- {self.path}: {self.old}{where}"
        return f"~ {self.path}: {self.old} -> {self.new}{where}"

    def as_json(self) -> dict[str, str | int | None]:
        """The same, for machines."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a descriptor would change."""

    service: str
    is_new: bool
    is_changed: bool
    differences: tuple[Difference, ...]
    effects: dict[str, Effect]  # by environment, in their order; removed ones last


def diff(
    old: Mapping[str, Written], new: Mapping[str, Written], *, lines: Mapping[str, int], file: str
) -> list[Difference]:
    """What is different, in the order of the new file; what is gone comes last."""
    found = [
        Difference(path, _shown(old, path), value["shown"], file, lines.get(path))
        for path, value in new.items()
        if path not in old or old[path]["value"] != value["value"]
    ]
    gone = [
        Difference(path, value["shown"], None, file, None)
        for path, value in old.items()
        if path not in new
    ]
    return sorted(found, key=lambda one: one.line or 0) + gone


def _shown(values: Mapping[str, Written], path: str) -> str | None:
    return values[path]["shown"] if path in values else None


def effects(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, Effect]:
    """What happens to each environment, from the digests before and after."""
    found = {
        name: Effect.NEW
        if name not in old
        else Effect.SAME
        if old[name] == digest
        else Effect.CHANGED
        for name, digest in new.items()
    }
    return found | {name: Effect.REMOVED for name in old if name not in new}
