"""Where an error of the validation belongs in the file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pydantic_core import ErrorDetails

from steerway.platform.descriptor.nodes import (
    SERVICE,
    Entry,
    Items,
    Mapping,
    Mark,
    Node,
    Path,
    path_text,
)

_KEY = "[key]"  # what Pydantic appends where a key itself is wrong


@dataclass(frozen=True, slots=True)
class Found:
    """An error with its place: `node` is the value, or what the missing value misses in."""

    error: ErrorDetails
    path: Path
    node: Node
    at: Mark
    key_at: Mark
    origin: str
    in_branch: bool  # the error is about one alternative of several
    of_key: bool  # the error is about the key, not about the value


def locate(root: Mapping, error: ErrorDetails) -> Found:
    """Follow the location of an error down the tree.

    Segments that are not in the tree name an alternative of a union, or a missing key.
    """
    location = list(error["loc"])
    missing = location.pop() if error["type"] == "missing" else None
    of_key = bool(location) and location[-1] == _KEY
    if of_key:
        location.pop()
    walk = _Walk(root, root.at, root.at)
    for segment in location:
        walk.down(segment)
    path = tuple(walk.path) if missing is None else (*walk.path, missing)
    at, origin = _place(walk, missing)
    return Found(
        error, path, walk.node, at, walk.key_at, origin, in_branch=walk.skipped, of_key=of_key
    )


def _place(walk: "_Walk", missing: str | int | None) -> tuple[Mark, str]:
    """A missing value is told at its mapping, or where an environment removed it."""
    node = walk.node
    if missing is None:
        return walk.at, node.origin
    if isinstance(node, Mapping) and missing in node.removed:
        taken_away = node.removed[str(missing)]
        return taken_away.key_at, taken_away.node.origin
    return walk.key_at, node.origin


class _Walk:
    """A way down the tree."""

    def __init__(self, node: Node, at: Mark, key_at: Mark) -> None:
        self.node, self.at, self.key_at = node, at, key_at
        self.path: list[str | int] = []
        self.skipped = False

    def down(self, segment: str | int) -> None:
        node = self.node
        if isinstance(node, Mapping) and segment in node.entries:
            entry: Entry = node.entries[str(segment)]
            self.node, self.at, self.key_at = entry.node, entry.at, entry.key_at
            self.path.append(segment)
        elif isinstance(node, Items) and isinstance(segment, int) and segment < len(node.items):
            self.node = node.items[segment]
            self.at = self.key_at = self.node.at
            self.path.append(segment)
        else:
            self.skipped = True


def pointed(found: Found, words: Iterable[str]) -> Found:
    """The same error at the key that its sentence names first, where it names one."""
    node = found.node
    if not isinstance(node, Mapping):
        return found
    for word in words:
        for path, entry in _named(node):
            if path[-1] == word:
                place = (*found.path, *path)
                return replace(found, path=place, at=entry.at, origin=entry.node.origin)
    return found


def _named(node: Mapping) -> Iterator[tuple[tuple[str, ...], Entry]]:
    """The keys of a mapping and of the mappings in it."""
    for key, entry in node.entries.items():
        yield (key,), entry
    for key, entry in node.entries.items():
        if isinstance(entry.node, Mapping):
            yield from (((key, below), one) for below, one in entry.node.entries.items())


def significant(found: Iterable[Found]) -> list[Found]:
    """One error per place: what is wrong deeper inside hides that an alternative did not fit."""
    everything = list(found)
    outer = {one.path[:length] for one in everything for length in range(len(one.path))}
    kept: dict[tuple[Path, bool, str], Found] = {}
    for one in everything:
        is_echo = one.in_branch or one.error["type"] == "too_short"  # wrong items are not counted
        if is_echo and one.path in outer:
            continue
        kind = "" if one.in_branch else str(one.error["type"])
        kept.setdefault((one.path, one.of_key, kind), one)
    return list(kept.values())


def shown(root: Mapping, path: Path, origin: str) -> str:
    """The path as people say it: items by their name, `environments.production` in front."""
    words: list[str | int] = [] if origin == SERVICE else ["environments", origin]
    node: Node | None = root
    for segment in path:
        node = _below(node, segment)
        named = node.get("name") if isinstance(node, Mapping) and isinstance(segment, int) else None
        name = getattr(named, "value", None)
        words.append(name if isinstance(name, str) and name else segment)
    return path_text(words)


def _below(node: Node | None, segment: str | int) -> Node | None:
    if isinstance(node, Mapping):
        return node.get(str(segment))
    if isinstance(node, Items) and isinstance(segment, int) and segment < len(node.items):
        return node.items[segment]
    return None
