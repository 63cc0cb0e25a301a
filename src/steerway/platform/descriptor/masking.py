"""A descriptor for readers of the catalog: what looks like a secret is hidden in it."""

from collections.abc import Iterator
from typing import Any

import yaml
from yaml import events

from steerway.platform.descriptor.explaining import is_hidden
from steerway.platform.descriptor.nodes import Items, Mapping, Mark, Node, Path
from steerway.platform.descriptor.reading import read
from steerway.platform.descriptor.sensitive import HIDDEN


def masked_document(value: Any, above: Path = ()) -> Any:
    """A JSON document in which every value that looks like a secret is hidden."""
    if isinstance(value, dict):
        return {key: masked_document(below, (*above, key)) for key, below in value.items()}
    if isinstance(value, list):
        return [masked_document(below, (*above, at)) for at, below in enumerate(value)]
    return HIDDEN if is_hidden(above, value) else value


def masked_text(text: str) -> str:
    """The text of a descriptor with such values hidden, every other line where it was.

    Nothing is left of a text that cannot be read: what is secret in it cannot be told.
    """
    tree, _ = read(text, "")
    if tree is None:
        return ""
    hidden = set(_hidden(tree))
    for start, end in reversed(list(_spans(text, hidden))):
        lines = text.count("\n", start, end)  # a block of lines ends with the last of them
        text = f'{text[:start]}"{HIDDEN}"' + "\n" * lines + text[end:]
    return text


def _hidden(node: Node, above: Path = ()) -> Iterator[Mark]:
    if isinstance(node, Mapping):
        for key, entry in node.entries.items():
            yield from _hidden(entry.node, (*above, key))
    elif isinstance(node, Items):
        for at, item in enumerate(node.items):
            yield from _hidden(item, (*above, at))
    elif is_hidden(above, node.value):
        yield node.at


def _spans(text: str, hidden: set[Mark]) -> Iterator[tuple[int, int]]:
    parse: Any = yaml.parse  # its stub does not know the native loaders
    for event in parse(text, Loader=yaml.CSafeLoader):
        start, end = event.start_mark, event.end_mark
        is_one = Mark(start.line + 1, start.column + 1) in hidden
        if is_one and isinstance(event, events.ScalarEvent):
            yield start.index, end.index
