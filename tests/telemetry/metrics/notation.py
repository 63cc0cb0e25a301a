"""The notation of Prometheus' own PromQL tests: `load`, `eval` and what is expected.

Source: prometheus/prometheus, promql/promqltest/README.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import promql_parser as grammar
import pyarrow as pa

from steerway.telemetry.vectors.native import Histogram
from steerway.telemetry.vectors.shapes import STALE, Grid, moment

MS = pa.timestamp("ms", "UTC")
EPSILON = 1e-6
POINT = re.compile(r"\{\{.*?\}\}(?:[+-]\{\{.*?\}\})?(?:x\d+)?|\S+")
NUMBER = r"[+-]?(?:[0-9.]+(?:[eE][+-]?\d+)?|0x[0-9a-fA-F]+|[Ii]nf|NaN|nan)"
SPREAD = re.compile(rf"({NUMBER})([+-]{NUMBER[5:]})?x(\d+)")
EVAL = re.compile(
    r"eval(?:_(?P<flag>\w+))?\s+(?:instant\s+at\s+(?P<at>\S+)"
    r"|range\s+from\s+(?P<start>\S+)\s+to\s+(?P<end>\S+)\s+step\s+(?P<step>\S+))\s+(?P<query>.+)",
    re.DOTALL,
)
NATIVE = re.compile(r"\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?")
Labels = dict[str, str]
Point = float | Histogram | None


class NotRead(Exception):
    """This part of the notation is not known here."""


@dataclass
class Case:
    """One `eval`: a question and what is expected."""

    file: str
    line: int
    query: str
    grid: Grid
    is_range: bool
    fails: bool = False
    fail_message: str | None = None
    fail_pattern: str | None = None
    ordered: bool = False
    text: str | None = None
    window: Grid | None = None
    expected: list[tuple[Labels | None, list[Point]]] = field(default_factory=list)
    unread: str = ""
    loads: list["Load"] = field(default_factory=list)


@dataclass
class Load:
    """Series with a point for each step."""

    step: int
    series: list[tuple[Labels, list[Point]]]
    has_natives: bool
    unread: bool


def duration(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("-")
    if re.fullmatch(r"[0-9.]+(?:e\d+)?", text):
        return sign * round(float(text) * 1000)
    units = {
        "ms": 1,
        "s": 1000,
        "m": 60_000,
        "h": 3_600_000,
        "d": 86_400_000,
        "w": 604_800_000,
        "y": 31_536_000_000,
    }
    parts = re.findall(r"(\d+)(ms|[smhdwy])", text)
    return sign * sum(int(number) * units[unit] for number, unit in parts)


def number(text: str) -> float:
    if text.lower().lstrip("+-").startswith("0x"):
        return float(int(text, 16))
    return float(text)


def points(text: str) -> list[Point]:
    found: list[Point] = []
    for one in POINT.findall(text):
        if one.startswith("{{"):
            found += _native_points(one)
        elif re.fullmatch(r"_(?:x\d+)?", one):
            found += [None] * (int(one[2:]) if one[1:] else 1)
        elif one.startswith("stale"):
            found += [float(STALE)] * (int(one[6:]) if "x" in one else 1)
        elif spread := re.fullmatch(
            rf"({NUMBER})((?:[+-]){NUMBER.replace('[+-]?', '', 1)})?x(\d+)", one
        ):
            start, rise = number(spread.group(1)), number(spread.group(2) or "0")
            times = int(spread.group(3))
            if spread.group(2) is None:
                found += [start] * (times + 1)
            else:
                value: float = start
                for _ in range(times + 1):
                    found.append(value)
                    value += rise
        else:
            found.append(number(one))
    return found


def _native_points(text: str) -> list[Point]:
    found = NATIVE.fullmatch(text)
    if found is None:
        raise NotRead(text)
    start = native(found[1])
    if found[4] is None:
        return [start]
    rise = None if found[3] is None else native(found[3])
    values: list[Point] = [start]
    for _ in range(int(found[4])):
        last = values[-1]
        assert isinstance(last, Histogram)
        values.append(last if rise is None else last.plus(rise, -1.0 if found[2] == "-" else 1.0))
    return values


def native(text: str) -> Histogram:
    """A native histogram as `schema:0 sum:5 count:4 buckets:[1 2 1]`."""
    if "custom_values" in text or "schema:-53" in text:
        raise NotRead("custom buckets")
    words = dict(re.findall(r"(\w+):(\[[^\]]*\]|\S+)", text))

    def one(name: str) -> float:
        return number(words.get(name, "0"))

    def counts(name: str) -> np.ndarray:  # type: ignore[type-arg]
        return np.array([number(word) for word in words.get(name, "[]")[1:-1].split()], np.float64)

    return Histogram(
        schema=int(one("schema")),
        zero_threshold=one("z_bucket_w"),
        zero_count=one("z_bucket"),
        count=one("count"),
        sum=one("sum"),
        positive_offset=int(one("offset")),
        positive=counts("buckets"),
        negative_offset=int(one("n_offset")),
        negative=counts("n_buckets"),
    )


def series(line: str) -> tuple[Labels | None, str]:
    """Labels and what follows them."""
    if re.match(rf"(?:{NUMBER})(?:\s|$)", line) and "{" not in line:
        return None, line
    name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line)
    rest = line[name.end() :].lstrip() if name else line
    labels: Labels = {}
    if name:
        labels["__name__"] = name.group()
    if rest.startswith("{") and not rest.startswith("{{"):
        end = _closing(rest)
        body, rest = rest[1:end], rest[end + 1 :]
        for quoted, key, value in re.findall(
            r'(?:"((?:\\.|[^"\\])*)"|([\w.:]+))?\s*(?:=\s*("(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'))?',
            body,
        ):
            if value:
                labels[quoted or key] = _text(value)
            elif quoted:
                labels["__name__"] = quoted
    return labels, rest.strip()


def _closing(text: str) -> int:
    quote = ""
    at = 0
    while at < len(text):
        if quote:
            if text[at] == "\\":
                at += 1
            elif text[at] == quote:
                quote = ""
        elif text[at] in "\"'":
            quote = text[at]
        elif text[at] == "}":
            return at
        at += 1
    raise NotRead(f"labels: {text}")


def _text(quoted: str) -> str:
    if quoted.startswith("`"):
        return quoted[1:-1]
    parsed = grammar.parse(quoted)
    return str(parsed.val)


def cases(path: Path) -> Iterator[Case]:
    """Every `eval` of a file, with what was loaded before it."""
    lines = path.read_text().splitlines()
    loads: list[Load] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        start = at
        at += 1
        if not line or line.startswith("#"):
            continue
        if line == "clear":
            loads = []
            continue
        block = []
        while at < len(lines) and lines[at].strip():
            if not lines[at].strip().startswith("#"):
                block.append(lines[at].strip())
            at += 1
        if line.startswith("load"):
            loads = [*loads, _load(line, block)]
        elif line.startswith("eval"):
            # a query may go on over several lines, indented deeper than what is expected
            yield _case(path.name, start + 1, line, block, loads)
        else:
            raise NotRead(f"{path.name}:{start + 1}: {line}")


def _load(line: str, block: list[str]) -> Load:
    words = line.split()
    found, unread = [], words[0] != "load"
    for one in block:
        try:
            labels, rest = series(one)
            found.append((labels or {}, points(rest)))
        except (NotRead, ValueError):
            unread = True
    natives = any(isinstance(point, Histogram) for _, row in found for point in row)
    return Load(duration(words[1]), found, natives or unread, unread)


def _case(file: str, line: int, text: str, block: list[str], loads: list[Load]) -> Case:
    query = text
    while block and _open(query):
        query += "\n" + block.pop(0)
    found = EVAL.fullmatch(query)
    if found is None:
        raise NotRead(f"{file}:{line}: {text}")
    if found["at"] is not None:
        grid = moment(duration(found["at"]))
    else:
        grid = Grid(duration(found["start"]), duration(found["end"]), duration(found["step"]))
    case = Case(file, line, found["query"].strip(), grid, found["at"] is None, loads=loads)
    case.fails, case.ordered = found["flag"] == "fail", found["flag"] == "ordered"
    for one in block:
        try:
            _expect(case, one)
        except (NotRead, ValueError) as error:
            case.unread = str(error)
    return case


def _open(query: str) -> bool:
    bare = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`', "", query)
    return sum(bare.count(c) for c in "([{") > sum(bare.count(c) for c in ")]}")


def _expect(case: Case, line: str) -> None:
    words = line.split(None, 1)
    if words[0] == "expect":
        _expect_about(case, words[1])
    elif words[0] not in ("expected_fail_message", "expected_fail_regexp"):
        labels, rest = series(line)
        case.expected.append((labels, points(rest)))


def _expect_about(case: Case, what: str) -> None:
    if what.startswith("fail"):
        case.fails = True
        rest = what.partition(":")[2].strip()
        if "msg:" in what:
            case.fail_message = rest
        elif "regex:" in what:
            case.fail_pattern = rest
    elif what.startswith("ordered"):
        case.ordered = True
    elif what.startswith("string"):
        case.text = _text(what.removeprefix("string").strip())
    elif what.startswith("range vector"):
        parts = what.split()
        case.window = Grid(duration(parts[3]), duration(parts[5]), duration(parts[7]))
