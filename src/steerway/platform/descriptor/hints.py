"""What was probably meant."""

import re
from datetime import timedelta
from typing import Final

from steerway.platform.descriptor import schema as schemas
from steerway.platform.descriptor import sentences
from steerway.platform.descriptor.nodes import Items, Mapping, Node, Path, Scalar, path_text, quoted
from steerway.platform.descriptor.schema import Schema
from steerway.platform.descriptor.section import (
    DURATION_PATTERN,
    NAME_PATTERN,
    SIZE_PATTERN,
    duration_text,
    size_text,
)

SIMILAR_MIN: Final = 70  # percent; below that a guess is more often wrong than right
_LISTED_MAX: Final = 20
_SEARCHED_MAX: Final = 60  # characters; a longer key is not a typing mistake
_TRUTHS: Final = {
    "yes": "true",
    "on": "true",
    "y": "true",
    "no": "false",
    "off": "false",
    "n": "false",
}
_ODD_NUMBER = re.compile(r"[-+]?(0[xob]?[0-9a-fA-F_]+|[0-9][0-9_]*|[0-9]+(:[0-9]+)+)")
_LOOSE_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*[a-zA-Z]+\s*)+")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]+)")
_MILLISECONDS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_MILLISECONDS_MAX: Final = 366 * 86_400_000  # nobody waits longer than a year
_BYTES: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY: Final = {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def for_key(root: Schema, path: Path) -> str:
    """The key that was meant, where it belongs, or which keys there are."""
    key, above = str(path[-1]), path[:-1]
    known = schemas.keys(root, schemas.at(root, above) or {})
    meant = similar(key, known)
    if meant:
        return f"did you mean {quoted(meant)}?"
    fixed = tuple(segment for segment in above if isinstance(segment, str))
    elsewhere = [
        found for found in schemas.paths(root, root) if found[-1] == key and found != fixed
    ]
    if elsewhere:
        return f"did you mean {path_text(sorted(elsewhere, key=len)[0])}?"
    if known and len(known) <= _LISTED_MAX:
        return f"the keys here are {', '.join(known)}"
    return ""


def similar(word: str, known: list[str]) -> str:
    """The known word that `word` was probably meant to be, or nothing."""
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only a mistake needs it
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - the same

    if not known or not word or len(word) > _SEARCHED_MAX:
        return ""
    lowered = {name.lower(): name for name in known}
    asked = word.lower().replace("_", "-")
    extended = [name for low, name in lowered.items() if low.startswith(asked)]
    if len(extended) == 1:
        return extended[0]
    slips = [name for low, name in lowered.items() if OSA.distance(asked, low) <= 1 < len(low)]
    if slips:
        return slips[0]
    best = process.extractOne(asked, list(lowered), scorer=fuzz.ratio, score_cutoff=SIMILAR_MIN)
    return lowered[best[0]] if best else ""


def for_value(root: Schema, rule: Schema, node: Node) -> str:
    """How to write the value, where that can be told."""
    kinds = {branch.get("type") for branch in schemas.branches(root, rule)}
    if not isinstance(node, Scalar):
        return _for_collection(kinds, node)
    if node.value is None:
        return "write a value or remove the key"
    if isinstance(node.value, str):
        return _for_text(root, rule, kinds, node)
    return _for_other(root, rule, kinds, node)


def _for_collection(kinds: set[object], node: Items | Mapping) -> str:
    if isinstance(node, Items) and "object" in kinds:
        return 'write "key: value" in lines without a leading -'
    if isinstance(node, Mapping) and "array" in kinds:
        return "start each item of the list with -"
    return ""


def _for_other(root: Schema, rule: Schema, kinds: set[object], node: Scalar) -> str:
    """A number or a truth was found."""
    for branch in schemas.branches(root, rule):
        if branch.get("pattern") == DURATION_PATTERN:
            return f"add the unit, {node.text}s for seconds"
        if branch.get("pattern") == SIZE_PATTERN:
            return f"add the unit, {node.text}MB for megabytes"
    if any(_fits(branch, node.text) for branch in schemas.branches(root, rule)):
        return f"put it in quotes: {quoted(node.text)}"
    return _as_list(kinds, node)


def _fits(branch: Schema, text: str) -> bool:
    """Whether the text would be taken if it were in quotes."""
    if "enum" in branch or "const" in branch:
        return text in sentences.choices({}, branch)
    return branch.get("type") == "string" and bool(re.search(branch.get("pattern", ""), text))


def _for_text(root: Schema, rule: Schema, kinds: set[object], node: Scalar) -> str:
    text = node.text
    meant = similar(text, sentences.choices(root, rule))
    if not meant:
        patterns = [str(b.get("pattern", "")) for b in schemas.branches(root, rule)]
        meant = next(filter(None, (_spelled(pattern, text) for pattern in patterns)), "")
    if meant and meant != text:
        return f"did you mean {quoted(meant)}?"
    if any("name" in branch.get("properties", {}) for branch in schemas.branches(root, rule)):
        return f"write it as name: {text}" if _is_short(text) else ""
    return _as_plain(kinds - {"null"}, node) or _as_list(kinds, node)


def _as_plain(kinds: set[object], node: Scalar) -> str:
    """A truth or a number that is written in a way that makes it text."""
    is_number = bool(kinds) and kinds <= {"integer", "number"}
    if "boolean" in kinds and node.text.lower() in _TRUTHS:
        return f"write {_TRUTHS[node.text.lower()]}"
    if is_number and node.quoted and re.fullmatch(r"-?\d+(\.\d+)?", node.text):
        return "remove the quotes"
    if is_number and not node.quoted and _ODD_NUMBER.fullmatch(node.text):
        return "write plain decimal digits"
    return ""


def _as_list(kinds: set[object], node: Scalar) -> str:
    return f"write it as a list: [{node.text}]" if "array" in kinds and _is_short(node.text) else ""


def _is_short(text: str) -> bool:
    """Whether a hint can repeat the text: some words on one line."""
    return 0 < len(text) <= _SEARCHED_MAX and text.isprintable() and not text.isspace()


def _spelled(pattern: str, text: str) -> str:
    """`text` written in the way the pattern wants it, or nothing."""
    if pattern == NAME_PATTERN:
        name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        return name if re.fullmatch(NAME_PATTERN, name) else ""
    if pattern == DURATION_PATTERN:
        return _duration(text)
    if pattern == SIZE_PATTERN:
        return _size(text)
    return ""


def _duration(text: str) -> str:
    """What "1m30s", "1.5 s" and "30 sec" are in our way."""
    if len(text) > _SEARCHED_MAX or not _LOOSE_DURATION.fullmatch(text):
        return ""
    total = 0.0
    for number, unit in _PART.findall(text):
        is_small = unit == "ms" or unit.startswith("milli")
        total += float(number) * _MILLISECONDS.get("ms" if is_small else unit[0].lower(), 0)
    is_sensible = 1 <= total <= _MILLISECONDS_MAX
    return duration_text(timedelta(milliseconds=int(total))) if is_sensible else ""


def _size(text: str) -> str:
    """What "256m", "256 mb", "0.5GB" and "1gi" are in our way."""
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)\s*([kmgt]?i?)b?(ytes)?", text.lower())
    if match is None:
        return ""
    one = {**_BYTES, **_BINARY}.get(match[2])
    total = float(match[1]) * one if one else 0
    return size_text(int(total)) if total >= 1 else ""
