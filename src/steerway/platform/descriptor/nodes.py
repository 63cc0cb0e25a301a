"""A descriptor as it was written: values that know their place in the file."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

SERVICE: Final = "service"  # origin of what is written outside of any environment

Value = str | int | float | bool | None
Path = tuple[str | int, ...]
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
TEXT_SHOWN_MAX: Final = 40  # characters; a longer text would hide the sentence behind it


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file. Units: lines and columns (characters) from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, with the text it was written as."""

    value: Value
    text: str
    quoted: bool
    at: Mark
    origin: str = SERVICE


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Node", ...]
    at: Mark
    origin: str = SERVICE


@dataclass(frozen=True, slots=True)
class Entry:
    """A value under its key."""

    key_at: Mark
    node: "Node"

    @property
    def at(self) -> Mark:
        """Where to point at the value: at the key where nothing was written behind it."""
        empty = isinstance(self.node, Scalar) and not self.node.text and not self.node.quoted
        return self.key_at if empty else self.node.at


@dataclass(frozen=True, slots=True)
class Mapping:
    """Values by key. `removed` has the nulls with which an environment took keys away."""

    entries: dict[str, Entry]
    at: Mark
    origin: str = SERVICE
    removed: dict[str, Entry] = field(default_factory=dict)

    def get(self, key: str) -> "Node | None":
        """The value under `key`."""
        entry = self.entries.get(key)
        return entry.node if entry else None


Node = Scalar | Items | Mapping


def plain(node: Node) -> object:
    """The values without their places."""
    if isinstance(node, Mapping):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return node.value


def from_origin(node: Node, origin: str) -> Node:
    """The same tree, said to come from `origin`."""
    if isinstance(node, Mapping):
        entries = {
            key: replace(entry, node=from_origin(entry.node, origin))
            for key, entry in node.entries.items()
        }
        return replace(node, entries=entries, origin=origin)
    if isinstance(node, Items):
        items = tuple(from_origin(item, origin) for item in node.items)
        return replace(node, items=items, origin=origin)
    return replace(node, origin=origin)


def path_text(path: Iterable[str | int]) -> str:
    """`("run", "hosts", 0, "a.b")` is `run.hosts[0]["a.b"]`."""
    text = ""
    for segment in path:
        if isinstance(segment, int):
            text += f"[{segment}]"
        elif _PLAIN_KEY.fullmatch(segment) and len(segment) <= TEXT_SHOWN_MAX:
            text += f".{segment}" if text else segment
        else:
            text += f"[{quoted(segment)}]"
    return text


def quoted(text: str) -> str:
    """`text` in quotes on one line, shortened, with what cannot be seen made visible."""
    short = text if len(text) <= TEXT_SHOWN_MAX else text[: TEXT_SHOWN_MAX - 1] + "…"
    shown = json.dumps(short, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown)
