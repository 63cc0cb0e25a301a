"""Functions that change labels, and order by them."""

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from steerway.telemetry.promql.errors import QueryFailed
from steerway.telemetry.vectors.labels import NAME, Codes
from steerway.telemetry.vectors.shapes import Bools, Vector, merged

TEMPLATE: Final = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")
GROUP: Final = re.compile(r"\((?!\?)|\(\?P?<(\w+)>")
REPLACED: Final = "\ufffd"  # stands for bytes that are no text
GROUPS_MAX: Final = 9  # what RE2's templates can name


def matches(texts: list[str], pattern: str) -> list[bool]:
    """Which texts a regular expression of RE2 matches as a whole.

    Raises:
        QueryFailed: it is no regular expression.
    """
    try:
        found = pc.match_substring_regex(pa.array(texts, pa.string()), pattern=whole(pattern))
    except pa.ArrowInvalid as error:
        raise QueryFailed(why=f"invalid regular expression: {pattern}") from error
    answer: list[bool] = found.to_pylist()
    return answer


def whole(pattern: str) -> str:
    """A pattern for the whole of a text, in which a dot also matches a line's end."""
    return f"^(?s:{pattern})$"


def label_replace(
    vector: Vector, destination: str, template: str, source: str, pattern: str
) -> Vector:
    """One label from another by a regular expression, where that matches.

    Raises:
        QueryFailed: it is no regular expression, or the label has no name.
        Duplicate: two series become one.
    """
    _check_name(destination, "destination", "label_replace")
    labels = vector.labels
    old = labels.column(source)
    distinct, inverse = np.unique(old, return_inverse=True)
    texts = labels.symbols.decode(distinct.astype(np.int32))
    try:
        held = np.array(matches(texts, pattern), np.bool_)
    except QueryFailed as error:
        why = f"invalid regular expression in label_replace(): {pattern}"
        raise QueryFailed(why=why) from error
    made = labels.symbols.encode(_replaced(texts, pattern, template))
    place = inverse.reshape(-1)
    codes = np.where(held[place], made[place], labels.column(destination)).astype(np.int32)
    return _renamed(vector, destination, codes, held[place])


def _replaced(texts: list[str], pattern: str, template: str) -> list[str]:
    """What the template makes of each text."""
    names = [found.group(1) for found in GROUP.finditer(re.sub(r"\\.|\[[^\]]*\]", "", pattern))]

    def group(found: re.Match[str]) -> str:
        name = found.group(1) or found.group(2)
        if name is None:
            return "$"
        number = int(name) if name.isdigit() else _index(names, name)
        return f"\\{number}" if 0 <= number <= min(len(names), GROUPS_MAX) else ""

    rewrite = TEMPLATE.sub(group, template.replace("\\", "\\\\"))
    answer: list[str] = pc.replace_substring_regex(
        pa.array(texts, pa.string()),
        pattern=whole(pattern),
        replacement=rewrite,
        max_replacements=1,
    ).to_pylist()
    return answer


def _index(names: list[str], name: str) -> int:
    return names.index(name) + 1 if name in names else -1


def label_join(vector: Vector, destination: str, separator: str, sources: list[str]) -> Vector:
    """One label from several, joined.

    Raises:
        QueryFailed: a label has no name.
        Duplicate: two series become one.
    """
    for source in sources:
        _check_name(source, "source", "label_join")
    _check_name(destination, "destination", "label_join")
    symbols = vector.labels.symbols
    parts = [symbols.decode(vector.labels.column(source)) for source in sources]
    texts = [separator.join(row) for row in zip(*parts, strict=True)] if parts else []
    codes = symbols.encode(texts) if parts else np.zeros(vector.size, np.int32)
    return _renamed(vector, destination, codes, np.ones(vector.size, np.bool_))


def _renamed(vector: Vector, name: str, codes: Codes, rows: Bools) -> Vector:
    drops = vector.drops & ~rows if name == NAME else vector.drops
    return merged(vector.named(vector.labels.replace(name, codes), drops))


def _check_name(name: str, role: str, function: str) -> None:
    if not name or REPLACED in name:
        raise QueryFailed(why=f"invalid {role} label name in {function}(): {name}")


def by_label(vector: Vector, names: list[str], *, descending: bool) -> Vector:
    """The series in the natural order of some labels, and of all where those are equal."""
    sets = vector.labels.sets()

    def key(row: int) -> tuple[list[tuple[tuple[int, int, str], ...]], list[tuple[str, str]]]:
        return [natural(sets[row].get(name, "")) for name in names], sorted(sets[row].items())

    order = sorted(range(vector.size), key=key, reverse=descending)
    return vector.take(np.array(order, np.int64))


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key by which 2 comes before 10."""
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in re.findall(r"\d+|\D+", text)
    )
