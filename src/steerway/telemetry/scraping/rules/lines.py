"""The lines of a page, one by one: the slow look, which the fast one is checked against."""

import re
from typing import Final, NamedTuple

from steerway.telemetry.scraping.rules import labels as naming
from steerway.telemetry.scraping.rules.batch import Meaning
from steerway.telemetry.scraping.rules.labels import Malformed

LINE_BYTES_MAX: Final = 64 * 1024
HELP_MAX: Final = 1000
METRICS_DESCRIBED_MAX: Final = 20_000
TYPES: Final = frozenset(
    ("counter", "gauge", "histogram", "summary", "untyped", "unknown", "info", "stateset")
) | {"gaugehistogram"}
_LABELS: Final = rb'\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}'
_SAMPLE: Final = re.compile(rb"(?P<name>[^\s{]*(?:[ \t]*" + _LABELS + rb")?)[ \t]+(?=[^\s#])")
_TAIL: Final = re.compile(
    rb"(?P<value>[^\s#]+)(?:[ \t]+(?P<ts>-?[0-9][0-9.eE+-]*))?"
    rb"(?:[ \t]+#[ \t]*(?P<labels>" + _LABELS + rb")[ \t]+(?P<observed>[^\s#]+)"
    rb"(?:[ \t]+(?P<at>-?[0-9][0-9.eE+-]*))?)?[ \t]*"
)
_SAID: Final = re.compile(
    rb'^# (?P<word>TYPE|HELP|UNIT) (?P<metric>[A-Za-z_:][\w:]*|"[^"\n]*") ?(?P<text>[^\n]*)$', re.M
)
_NUMBER: Final = re.compile(rb"[+-]?(?:[0-9.]+(?:[eE][+-]?[0-9]+)?|inf|infinity|nan)", re.I)


class Line(NamedTuple):
    """One line: how much of it is not its value; the name of a series if it is a sample."""

    length: int
    name: bytes | None


class Observed(NamedTuple):
    """The exemplar behind a sample."""

    value: float
    labels: dict[str, str]
    ts_ms: int | None


class Tail(NamedTuple):
    """What stands behind the name of a series."""

    value: float
    ts_ms: int | None = None
    exemplar: Observed | None = None


def lines_of(body: bytes) -> list[Line]:
    """Every line of a page that ends with a newline.

    Raises:
        Malformed: a line is no sample and no comment, or too long.
    """
    return [_line(text, number) for number, text in enumerate(body.split(b"\n")[:-1], 1)]


def tail_of(text: bytes, *, seconds: bool) -> Tail:
    """Value, timestamp and exemplar. `seconds`: timestamps are in seconds, as in OpenMetrics.

    Raises:
        Malformed: it is something else.
    """
    match = _TAIL.fullmatch(text)
    if match is None:
        raise Malformed("a line has something other than a number behind its name")
    return Tail(
        _number(match["value"]), _moment(match["ts"], seconds=seconds), _observed(match, seconds)
    )


def meanings(body: bytes) -> tuple[Meaning, ...]:
    """What the comments say about metrics: type, unit and help."""
    found: dict[str, Meaning] = {}
    for match in _SAID.finditer(body):
        metric = match["metric"].decode(errors="replace").strip('"')
        if len(found) >= METRICS_DESCRIBED_MAX or len(metric) > naming.NAME_MAX:
            continue
        said = match["text"].decode(errors="replace")[:HELP_MAX].strip()
        word = match["word"].decode().lower()
        if word == "type" and said not in TYPES:
            said = "unknown"
        before = found.get(metric, Meaning(metric))
        found[metric] = before._replace(**{word: said.replace("\\n", "\n").replace("\\\\", "\\")})
    return tuple(found.values())


def _line(text: bytes, number: int) -> Line:
    if len(text) > LINE_BYTES_MAX:
        raise Malformed(f"line {number} has more than {LINE_BYTES_MAX} bytes")
    if not text.strip() or text.startswith(b"#"):
        return Line(len(text), None)
    match = _SAMPLE.match(text)
    if match is None:
        raise Malformed(f"line {number} is neither a sample nor a comment")
    return Line(match.end(), match["name"])


def _number(text: bytes) -> float:
    if not _NUMBER.fullmatch(text):
        raise Malformed("a value is not a number")
    try:
        return float(text)
    except ValueError:
        raise Malformed("a value is not a number") from None


def _moment(text: bytes | None, *, seconds: bool) -> int | None:
    if text is None:
        return None
    moment = _number(text) * (1000 if seconds else 1)
    if not abs(moment) < float(2**53):
        raise Malformed("a timestamp is out of range")
    return round(moment)


def _observed(match: re.Match[bytes], seconds: bool) -> Observed | None:  # noqa: FBT001
    if match["labels"] is None:
        return None
    name = naming.parse("x" + match["labels"].decode(errors="replace"))
    at = _moment(match["at"], seconds=seconds)
    return Observed(_number(match["observed"]), name.labels, at)
