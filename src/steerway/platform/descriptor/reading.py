"""YAML text to nodes with places, and every trap on the way as a problem.

What is read is the core schema of YAML 1.2 minus what surprises: only `true` and `false` are
booleans, only plain decimals are numbers, everything else without quotes is text. Anchors,
aliases, merge keys, tags and directives are refused rather than bounded: in a file of a
hundred lines they save nothing, they hide where a value comes from, and without them there is
no expansion that could grow. The parser is used by its events, so depth is counted before
anything nests.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml import events

from steerway.platform.descriptor import syntax
from steerway.platform.descriptor.nodes import Entry, Items, Mapping, Mark, Node, Scalar, quoted
from steerway.platform.descriptor.problems import PROBLEMS_MAX, Problem, problem
from steerway.platform.descriptor.scalars import NotPlain, resolve
from steerway.platform.descriptor.text import text_of

DEPTH_MAX: Final = 20  # the deepest known key is six levels down
_REFUSED_TAG = "tags such as {} are not used here"


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read."""

    at: Mark
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Node | None = None


@dataclass(slots=True)
class _Reader:
    """Builds the tree from events and collects what is wrong."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    root: Node | None = None
    documents: int = 0

    def wrong(self, at: Mark, message: str, hint: str = "") -> None:
        if len(self.problems) <= PROBLEMS_MAX:
            self.problems.append(problem(self.file, at, "", message, hint))

    def take(self, event: events.Event) -> bool:
        """Take one event; false where reading on makes no sense."""
        at = _mark(event.start_mark)
        if isinstance(event, events.DocumentStartEvent):
            return self.document(event, at)
        if isinstance(event, events.NodeEvent):
            self.decorations(event, at)
        if isinstance(event, events.AliasEvent):
            self.put(Scalar(None, f"*{event.anchor}", quoted=False, at=at))
        elif isinstance(event, events.ScalarEvent):
            self.put(self.scalar(event, at))
        elif isinstance(event, events.CollectionStartEvent):
            return self.open(at, is_mapping=isinstance(event, events.MappingStartEvent))
        elif isinstance(event, events.CollectionEndEvent):
            self.close()
        return True

    def document(self, event: events.DocumentStartEvent, at: Mark) -> bool:
        self.documents += 1
        if self.documents > 1:
            self.wrong(at, "a second document starts here", "a descriptor is one document")
            return False
        if event.version or event.tags:
            self.wrong(Mark(1, 1), "directives such as %YAML are not used here", "remove the line")
        return True

    def decorations(self, event: events.NodeEvent, at: Mark) -> None:
        """Anchors, aliases and tags, none of which we take."""
        if isinstance(event, events.AliasEvent):
            self.wrong(
                at,
                f"the alias *{event.anchor} is not followed",
                "write the value out; what starts with * needs quotes",
            )
        elif event.anchor is not None:
            self.wrong(
                at,
                f"the anchor &{event.anchor} is not used here",
                "what starts with & needs quotes",
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self.wrong(
                at, _REFUSED_TAG.format(shown), "put text in quotes; what starts with ! needs them"
            )

    def scalar(self, event: events.ScalarEvent, at: Mark) -> Scalar:
        if event.style or event.tag is not None:
            return Scalar(event.value, event.value, quoted=True, at=at)
        try:
            return Scalar(resolve(event.value), event.value, quoted=False, at=at)
        except NotPlain as refusal:
            self.wrong(at, str(refusal), "put it in quotes if it is meant as text")
            return Scalar(event.value, event.value, quoted=False, at=at)

    def open(self, at: Mark, *, is_mapping: bool) -> bool:
        if len(self.stack) >= DEPTH_MAX:
            self.wrong(at, f"this is nested more than {DEPTH_MAX} levels deep")
            return False
        self.stack.append(_Open(at, is_mapping))
        return True

    def close(self) -> None:
        done = self.stack.pop()
        if done.is_mapping:
            self.put(Mapping(done.entries, done.at))
        else:
            self.put(Items(tuple(done.items), done.at))

    def put(self, node: Node) -> None:
        """Put a finished node where it belongs."""
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            self.enter(parent, parent.key, node)
            parent.key = None

    def enter(self, parent: _Open, key: Node, node: Node) -> None:
        """Put `node` under `key`, which must be text and new."""
        if not isinstance(key, Scalar):
            self.wrong(key.at, "a key must be text", "put it in quotes if braces belong to it")
        elif key.text == "<<" and not key.quoted:
            self.wrong(key.at, "merge keys (<<) are not used here", "write the keys out")
        elif not key.text:
            self.wrong(key.at, "a key is empty")
        elif key.text in parent.entries:
            first = parent.entries[key.text].key_at.line
            self.wrong(
                key.at,
                f"the key {quoted(key.text)} is given twice",
                f"it is already in line {first}; keep one of them",
            )
        else:
            parent.entries[key.text] = Entry(key.at, node)


def read(source: str | bytes, file: str) -> tuple[Mapping | None, list[Problem]]:
    """The descriptor in `source` with the place of each value, and what is wrong with the text.

    There is no mapping when the text could not be read to its end.
    """
    text, problems = text_of(source, file)
    if text is None:
        return None, problems
    reader = _Reader(file)
    whole = _read_events(reader, text)
    if not whole:
        return None, reader.problems
    if isinstance(reader.root, Mapping):
        return reader.root, reader.problems
    return None, [*reader.problems, _not_a_mapping(reader.root, file)]


def _read_events(reader: _Reader, text: str) -> bool:
    """Feed the reader; true when everything was read."""
    try:
        return all(reader.take(event) for event in _events(text))
    except yaml.MarkedYAMLError as error:
        at, message, hint = syntax.sentence(error, text)
        reader.wrong(at, message, hint)
    except yaml.reader.ReaderError as error:
        reader.wrong(Mark(1, 1), f"this is not valid YAML: {error.reason}")
    return False


def _events(text: str) -> Iterator[events.Event]:
    parse: Any = yaml.parse  # its stub does not know the native loaders
    yield from parse(text, Loader=yaml.CSafeLoader)


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _not_a_mapping(root: Node | None, file: str) -> Problem:
    empty = root is None or (isinstance(root, Scalar) and not re.search(r"\S", root.text))
    if root is None or empty:
        return problem(file, Mark(1, 1), "", "the file says nothing", "`steerway init` writes one")
    got = "a list" if isinstance(root, Items) else "a single value"
    hint = 'write "key: value", with a space after the colon'
    return problem(file, root.at, "", f"a mapping of keys and values is expected, got {got}", hint)
