"""The name and labels of a series, as the text format writes them.

Source: Prometheus, "Exposition formats"; OpenMetrics 1.0; UTF-8 names as of Prometheus 3.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

LABELS_MAX: Final = 64
NAME_MAX: Final = 256
VALUE_MAX: Final = 4096
EXPORTED: Final = "exported_"

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_METRIC: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_PAIR: Final = re.compile(
    rf"\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*|{_QUOTED})\s*(?:=\s*(?P<value>{_QUOTED})\s*)?(?:,|$)"
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_MEANT: Final = {"n": "\n", '"': '"', "\\": "\\"}


class Malformed(ValueError):
    """The text is not in the format, or beyond a bound; says what, without the text itself."""


class Name(NamedTuple):
    """A metric and its labels, without those that are empty."""

    metric: str
    labels: dict[str, str]


def parse(text: str) -> Name:
    """The name in `metric{label="value",…}` or `{"metric",label="value",…}`.

    Raises:
        Malformed: it is not written that way, or larger than a name may be.
    """
    metric, brace, rest = text.partition("{")
    metric = metric.rstrip()
    if not brace:
        return Name(_sound(metric), {})
    if not rest.endswith("}"):
        raise Malformed("a brace is not closed")
    quoted, labels = _pairs(rest[:-1])
    if bool(metric) == bool(quoted):
        raise Malformed("a sample has one name")
    return Name(_sound(metric) if metric else quoted, labels)


def attached(labels: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The labels of a page with those of its target, which win.

    What the page said under the same name is kept as `exported_` name (honor_labels: false).
    """
    found = dict(labels)
    for name in own:
        if name in labels:
            moved = EXPORTED + name
            while moved in found or moved in own:
                moved = EXPORTED + moved
            found[moved] = found.pop(name)
    return {name: value for name, value in (found | dict(own)).items() if value}


def _pairs(text: str) -> tuple[str, dict[str, str]]:
    metric, labels, position = "", {}, 0
    text = text.strip()
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            raise Malformed("labels are not written as name, equals sign and quoted value")
        position = match.end()
        name, value = _unquoted(match["name"]), match["value"]
        if value is None:
            if metric or not match["name"].startswith('"'):
                raise Malformed("a label has no value")
            metric = name
        elif name in labels:
            raise Malformed(f"the label {name[:NAME_MAX]} is there twice")
        else:
            labels[name] = _unquoted(value)
    _within_bounds(metric, labels)
    return metric, {name: value for name, value in labels.items() if value}


def _within_bounds(metric: str, labels: Mapping[str, str]) -> None:
    if len(labels) > LABELS_MAX:
        raise Malformed(f"a series has more than {LABELS_MAX} labels")
    if any(len(name) > NAME_MAX for name in (metric, *labels)):
        raise Malformed(f"a name has more than {NAME_MAX} characters")
    if any(len(value) > VALUE_MAX for value in labels.values()):
        raise Malformed(f"the value of a label has more than {VALUE_MAX} characters")


def _sound(metric: str) -> str:
    if len(metric) > NAME_MAX or not _METRIC.fullmatch(metric):
        raise Malformed("a line does not begin with the name of a metric")
    return metric


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    return _ESCAPE.sub(lambda found: _MEANT.get(found[1], found[0]), inner)
