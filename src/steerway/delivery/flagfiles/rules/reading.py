"""JSON text to values that know their place, so that a mistake is told with line and column."""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Final

from steerway.platform.descriptor.nodes import Entry, Items, Mapping, Mark, Node, Scalar, quoted
from steerway.platform.descriptor.problems import PROBLEMS_MAX, Problem, problem

SIZE_MAX: Final = 1_048_576  # characters; a thousand flags with rules have half of it
DEPTH_MAX: Final = 130  # two levels for each of the operations that targeting may nest
VALUES_MAX: Final = 200_000
NUMBER_LENGTH_MAX: Final = 40
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_TOKEN: Final = re.compile(
    r'(?P<text>"(?:[^"\\\x00-\x1f]|\\.)*")'
    r"|(?P<number>-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))"
    r"|(?P<word>true|false|null)\b"
    r"|(?P<sign>[{}\[\]:,])",
    re.ASCII,
)
_HINTS: Final = {
    "'": 'JSON takes "double" quotes',
    "/": "JSON has no comments; a description goes into metadata",
    "}": "is there a comma before it?",
    "]": "is there a comma before it?",
}


class _Unreadable(Exception):
    def __init__(self, at: int, message: str, hint: str = "") -> None:
        self.at, self.message, self.hint = at, message, hint
        super().__init__(message)


@dataclass(slots=True)
class _Reader:
    source: str
    file: str
    at: int = 0
    depth: int = 0
    values: int = 0
    line: int = 1
    line_at: int = 0  # where the line begins that `line` counts
    problems: list[Problem] = field(default_factory=list)

    def mark(self, at: int) -> Mark:
        """The place of a character; places are asked for from the front to the back."""
        if at < self.line_at:
            self.line, self.line_at = 1, 0
        newlines = self.source.count("\n", self.line_at, at)
        if newlines:
            self.line += newlines
            self.line_at = self.source.rindex("\n", self.line_at, at) + 1
        return Mark(self.line, at - self.line_at + 1)

    def token(self, expected: str) -> tuple[str, str, int]:
        """Kind, text and place of what comes next."""
        space = _SPACE.match(self.source, self.at)
        at = space.end() if space else self.at
        found = _TOKEN.match(self.source, at)
        if found is None:
            got = quoted(self.source[at : at + 10].partition("\n")[0]) if self.source[at:] else ""
            said = f", got {got}" if got else ", but the file ends here"
            raise _Unreadable(
                at, f"{expected} is expected{said}", _HINTS.get(self.source[at : at + 1], "")
            )
        self.at = found.end()
        return str(found.lastgroup), found[0], at

    def value(self) -> Node:
        kind, text, at = self.token("a value")
        self.values += 1
        if self.values > VALUES_MAX:
            raise _Unreadable(at, f"the file has more than {VALUES_MAX} values")
        mark = self.mark(at)
        if kind == "text":
            return Scalar(self.text(text, at), text, quoted=True, at=mark)
        if kind == "word":
            return Scalar(json.loads(text), text, quoted=False, at=mark)
        if kind == "number":
            return Scalar(self.number(text, at), text, quoted=False, at=mark)
        if text not in "{[":
            raise _Unreadable(at, f"a value is expected, got {quoted(text)}", _HINTS.get(text, ""))
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise _Unreadable(at, f"this is nested more than {DEPTH_MAX} levels deep")
        found = self.mapping(mark) if text == "{" else self.items(mark)
        self.depth -= 1
        return found

    def mapping(self, mark: Mark) -> Mapping:
        entries: dict[str, Entry] = {}
        while not (not entries and self.ends("}")):
            kind, text, at = self.token("a key in quotes")
            if kind != "text":
                raise _Unreadable(
                    at, f"a key in quotes is expected, got {quoted(text)}", _HINTS.get(text, "")
                )
            key, key_at = self.text(text, at), self.mark(at)
            if self.token("a colon")[1] != ":":
                raise _Unreadable(self.at - 1, f"a colon is expected after {quoted(key)}")
            entry = Entry(key_at, self.value())
            if key in entries:
                first = entries[key].key_at.line
                self.wrong(
                    key_at,
                    f"the key {quoted(key)} is given twice",
                    f"it is already in line {first}; keep one of them",
                )
            entries[key] = entry
            if self.ends_or_goes_on("}"):
                break
        return Mapping(entries, mark)

    def items(self, mark: Mark) -> Items:
        found: list[Node] = []
        while not (not found and self.ends("]")):
            found.append(self.value())
            if self.ends_or_goes_on("]"):
                break
        return Items(tuple(found), mark)

    def ends(self, sign: str) -> bool:
        """Whether an empty list or mapping ends here."""
        before = self.at
        try:
            if self.token("")[1] == sign:
                return True
        except _Unreadable:
            pass  # what is there is told when it is read as a value
        self.at = before
        return False

    def ends_or_goes_on(self, sign: str) -> bool:
        _, text, at = self.token(f"a comma or {sign}")
        if text not in {",", sign}:
            raise _Unreadable(at, f"a comma or {sign} is expected, got {quoted(text)}")
        return text == sign

    def text(self, token: str, at: int) -> str:
        try:
            found = str(json.loads(token))
            found.encode()
        except ValueError as error:
            raise _Unreadable(at, "this text has an escape that stands for no character") from error
        if "\0" in found:
            raise _Unreadable(at, "this text has a zero byte, which is no text")
        return found

    def number(self, token: str, at: int) -> int | float:
        found = json.loads(token) if len(token) <= NUMBER_LENGTH_MAX else math.inf
        if not math.isfinite(found):
            raise _Unreadable(at, "this number is too large or too long")
        return found

    def wrong(self, at: Mark, message: str, hint: str = "") -> None:
        if len(self.problems) <= PROBLEMS_MAX:
            self.problems.append(problem(self.file, at, "", message, hint))


def read(source: str, file: str) -> tuple[Mapping | None, list[Problem]]:
    """The file with the place of each value, and what is wrong with its text.

    There is no mapping when the text could not be read to its end.
    """
    reader = _Reader(source.removeprefix("\ufeff"), file)
    try:
        found = _whole(reader)
    except _Unreadable as error:
        reader.wrong(reader.mark(error.at), error.message, error.hint)
        return None, reader.problems
    if isinstance(found, Mapping):
        return found, reader.problems
    reader.wrong(found.at, 'a mapping is expected, such as {"flags": {}}')
    return None, reader.problems


def _whole(reader: _Reader) -> Node:
    if len(reader.source) > SIZE_MAX:
        raise _Unreadable(0, f"the file has more than {SIZE_MAX} characters")
    found = reader.value()
    if reader.source[reader.at :].strip(" \t\r\n"):
        raise _Unreadable(reader.at, "the file is one JSON value, and something follows it")
    return found
