"""Sentences for what the YAML parser says."""

from typing import Final

import yaml

from steerway.platform.descriptor.nodes import Mark, quoted
from steerway.platform.descriptor.text import lines_of

_INDENTATION = "the indentation does not fit the lines above"
_ALIGN = "keys that belong together start in the same column"
_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "mapping values are not allowed in this context": (
        'a ":" is not expected here',
        "put the value in quotes, or check the indentation",
    ),
    "mapping keys are not allowed in this context": ("a key is not expected here", _ALIGN),
    "block sequence entries are not allowed in this context": (
        'a list item "-" is not expected here',
        "start the list in its own line",
    ),
    "did not find expected key": (_INDENTATION, _ALIGN),
    "did not find expected '-' indicator": (_INDENTATION, "each item of a list starts with -"),
    "did not find expected <document start>": (
        "this does not belong to what is above",
        "check the quotes, brackets and indentation before it",
    ),
    "could not find expected ':'": (
        "this line is not a key with a value",
        'write "key: value", with a space after the colon',
    ),
    "did not find expected ',' or ']'": ('the list opened with "[" is not closed', "add ]"),
    "did not find expected ',' or '}'": ('the mapping opened with "{" is not closed', "add }"),
    "found unexpected end of stream": ("the quote that opens here is not closed", "close it"),
    "found unexpected document indicator": ("the quote that opens here is not closed", "close it"),
    "did not find expected node content": ("a value is missing here", ""),
    "found unknown escape character": (
        'the "\\" does not start an escape that is known',
        "use single quotes, where \\ is only a character",
    ),
    "did not find expected hexdecimal number": ('the digits after "\\" are incomplete', ""),
    "found invalid Unicode character escape code": ("there is no such character", ""),
    "did not find expected alphabetic or numeric character": (
        'a value that starts with "*" or "&" needs quotes',
        "",
    ),
    "found undefined tag handle": ('a value that starts with "!" needs quotes', ""),
    "found an indentation indicator equal to 0": ("the indentation of a block is at least 1", ""),
    "did not find expected comment or line break": ("the line should end here", ""),
}
_MISFITS: Final = ("did not find expected key", "did not find expected <document start>")
_OPENED_EARLIER: Final = (  # the place that helps is where it began, not where reading stopped
    "found unexpected end of stream",
    "found unexpected document indicator",
    "could not find expected ':'",
)


def sentence(error: yaml.MarkedYAMLError, text: str) -> tuple[Mark, str, str]:
    """Where in `text` the parser stopped, why, and what to do."""
    said = error.problem or "it cannot be read"
    mark = error.problem_mark or error.context_mark
    if said in _OPENED_EARLIER and error.context_mark is not None:
        mark = error.context_mark
    at = _inside(text, mark.line, mark.column) if mark else Mark(1, 1)
    character = _character(text, at)
    if character == "\t" or "tab character" in said:
        return at, "a tab cannot indent or separate here", "use spaces"
    if said == "found character that cannot start any token":
        return at, f"a value cannot start with {quoted(character)}", "put it in quotes"
    if said in _MISFITS and character == ":":
        return at, 'there is no key in front of the ":"', ""
    if said in _MISFITS and _before(text, at).strip():
        return at, "this is not expected here", "check the quotes and brackets before it"
    message, hint = _SENTENCES.get(said, (f"this is not valid YAML: {said}", ""))
    if said.startswith("did not find expected ',' or") and error.context_mark is not None:
        return at, f"{message} (line {error.context_mark.line + 1})", hint
    return at, message, hint


def _inside(text: str, line: int, column: int) -> Mark:
    """The place, drawn back to the end of the last line that says something."""
    lines = lines_of(text)
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    if line >= len(lines):
        return Mark(len(lines), len(lines[-1]) + 1)
    return Mark(line + 1, min(column, len(lines[line])) + 1)


def _before(text: str, at: Mark) -> str:
    return lines_of(text)[at.line - 1][: at.column - 1]


def _character(text: str, at: Mark) -> str:
    line = lines_of(text)[at.line - 1]
    return line[at.column - 1 : at.column]
