"""Bytes to text: what is refused before YAML is looked at."""

import codecs
import re
from itertools import islice
from typing import Final

from steerway.platform.descriptor.nodes import Mark
from steerway.platform.descriptor.problems import Problem, problem

BYTES_MAX: Final = 256 * 1024  # a descriptor for a service is a few kilobytes

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_UTF_16_OR_32: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What YAML calls printable, without the line breaks only YAML 1.1 knows and without characters
# that nobody sees but that change what is read (zero width, direction overrides).
_UNREADABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    "|[\u200b\u2028-\u202e\u2060-\u2069]"
)


_CONFLICT = re.compile(r"^<{7} .*$", re.MULTILINE)


def text_of(source: str | bytes, file: str) -> tuple[str | None, list[Problem]]:
    """The text of a file in UTF-8, with or without a byte order mark; or what is wrong with it."""
    if isinstance(source, str):
        source = source.encode("utf-8", "surrogatepass")
    if len(source) > BYTES_MAX:
        size = f"{len(source):,} bytes".replace(",", " ")
        return None, [_at_top(file, f"the file has {size}", f"at most {BYTES_MAX} are read")]
    if source.startswith(_UTF_16_OR_32) or (source[:1] and b"\0" in source[:2]):
        return None, [_at_top(file, "the file is UTF-16 or binary", "save it as UTF-8")]
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = place(source[: error.start].decode("utf-8-sig", "replace"))
        byte = f"byte 0x{source[error.start]:02x}"
        return None, [problem(file, at, "", f"{byte} is not valid UTF-8", "save it as UTF-8")]
    problems = _unreadable(text, file) or _conflicts(text, file)
    return (None, problems) if problems else (text, [])


def place(before: str) -> Mark:
    """Where a text stands that has `before` in front of it."""
    lines = _LINE_BREAK.split(before)
    return Mark(len(lines), len(lines[-1]) + 1)


def lines_of(text: str) -> list[str]:
    """The lines as an editor counts them."""
    return _LINE_BREAK.split(text)


def _unreadable(text: str, file: str) -> list[Problem]:
    """The first of each character that cannot be seen or read."""
    first = {match[0]: match.start() for match in reversed(list(_UNREADABLE.finditer(text)))}
    return [
        problem(
            file,
            place(text[:start]),
            "",
            f"the character U+{ord(character):04X} cannot be used here",
            "it is invisible in most editors; delete it",
        )
        for character, start in first.items()
    ]


def _conflicts(text: str, file: str) -> list[Problem]:
    """Where git could not merge: it leaves both sides in the file."""
    return [
        problem(file, place(text[: match.start()]), "", "git could not merge here", "resolve it")
        for match in islice(_CONFLICT.finditer(text), 1)
    ]


def _at_top(file: str, message: str, hint: str) -> Problem:
    return problem(file, Mark(1, 1), "", message, hint)
