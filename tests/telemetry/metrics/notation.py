"""The notation of Prometheus' own PromQL tests: `load`, `eval` and what is expected.

Source: prometheus/prometheus, promql/promqltest/README.md.
"""

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import promql_parser as grammar

from steerway.platform.errors import SteerwayError
from steerway.telemetry.metrics import queries
from steerway.telemetry.metrics.rules import Answer
from steerway.telemetry.store import Store, series_id
from steerway.telemetry.vectors.native import Histogram
from steerway.telemetry.vectors.shapes import STALE, Grid, Samples, Scalar, Text, Vector, moment

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
    raise NotRead("native histograms")


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
    found, natives = [], words[0] != "load"
    for one in block:
        try:
            labels, rest = series(one)
            found.append((labels or {}, points(rest)))
        except NotRead:
            natives = True
    return Load(duration(words[1]), found, natives)


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
        what = words[1]
        if what.startswith("fail"):
            case.fails = True
            if "msg:" in what:
                case.fail_message = what.partition("msg:")[2].strip()
            elif "regex:" in what:
                case.fail_pattern = what.partition("regex:")[2].strip()
        elif what.startswith("ordered"):
            case.ordered = True
        elif what.startswith("string"):
            case.text = _text(what.removeprefix("string").strip())
        elif what.startswith("range vector"):
            parts = what.split()
            case.window = Grid(duration(parts[3]), duration(parts[5]), duration(parts[7]))
        return
    if words[0] in ("expected_fail_message", "expected_fail_regexp"):
        return
    labels, rest = series(line)
    case.expected.append((labels, points(rest)))


def load(store: Store, loads: list[Load]) -> None:
    """Put series into the store; nothing else is in it then."""
    for table in ("samples", "series", "histograms"):
        store.execute(f"TRUNCATE TABLE {table}")
    held: dict[tuple[int, int], tuple[str, float]] = {}
    known: dict[int, Labels] = {}
    for one in loads:
        for labels, values in one.series:
            name = labels.get("__name__", "")
            rest = {key: value for key, value in labels.items() if key != "__name__"}
            number_ = series_id(name, rest)
            known[number_] = labels
            for at, value in enumerate(values):
                if isinstance(value, float):
                    held[number_, at * one.step] = (name, value)
    if not held:
        return
    rows = list(known.items())
    store.insert(
        "series",
        pa.table(
            {
                "metric": [labels.get("__name__", "") for _, labels in rows],
                "id": pa.array([number_ for number_, _ in rows], pa.uint64()),
                "labels": pa.array(
                    [
                        {k: v for k, v in labels.items() if k != "__name__" and v}
                        for _, labels in rows
                    ],
                    pa.map_(pa.string(), pa.string()),
                ),
                "service": [""] * len(rows),
                "min_ts": pa.array([0] * len(rows), MS),
                "max_ts": pa.array([0] * len(rows), MS),
            }
        ),
    )
    store.insert(
        "samples",
        pa.table(
            {
                "metric": [name for name, _ in held.values()],
                "id": pa.array([key[0] for key in held], pa.uint64()),
                "ts": pa.array([key[1] for key in held], MS),
                "value": np.array([value for _, value in held.values()], np.float64),
            }
        ),
    )


def run(store: Store, case: Case) -> str:
    """What is wrong with the answer; nothing when it is as expected."""
    try:
        tree = queries.parsed(case.query, is_range=case.is_range)
        answer = queries.evaluated(store, tree, case.grid, queries.Budget())
    except SteerwayError as error:
        return _failed(case, str(error))
    if case.fails:
        return "it should have failed"
    return _compared(case, answer)


def _failed(case: Case, why: str) -> str:
    if not case.fails:
        return f"it failed: {why}"
    if case.fail_pattern and not re.search(case.fail_pattern, why):
        return f"it failed otherwise: {why} instead of /{case.fail_pattern}/"
    if case.fail_message and case.fail_message not in why:
        return f"it failed otherwise: {why} instead of {case.fail_message}"
    return ""


def _compared(case: Case, answer: Answer) -> str:
    value = answer.value
    if isinstance(value, Text):
        return "" if value.text == case.text else f"string {value.text!r}"
    if isinstance(value, Scalar):
        wanted = case.expected[0][1] if case.expected else []
        got = value.values.tolist()
        same = len(wanted) == len(got) and all(
            _near(a, b) for a, b in zip(wanted, got, strict=True)
        )
        return "" if same else f"scalar {got} instead of {wanted}"
    if isinstance(value, Samples):
        return _compared_samples(case, value)
    return _compared_vector(case, value)


def _compared_samples(case: Case, value: Samples) -> str:
    at = {}
    low, high = case.grid.start, case.grid.start
    assert case.window is not None
    for row, labels in enumerate(value.labels.sets()):
        span = slice(value.starts[row], value.starts[row + 1])
        if value.starts[row] < value.starts[row + 1]:
            at[_key(labels)] = dict(
                zip(value.times[span].tolist(), value.values[span].tolist(), strict=True)
            )
    for labels, wanted in case.expected:
        got = at.pop(_key(labels or {}), {})
        times = case.window.start + case.window.step * np.arange(len(wanted))
        expected = {int(t): v for t, v in zip(times, wanted, strict=True) if v is not None}
        if set(got) != set(expected) or not all(_near(expected[t], got[t]) for t in got):
            return f"{labels}: {got} instead of {expected} ({low}..{high})"
    return f"more series: {at}" if at else ""


def _key(labels: Labels) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, value) for key, value in labels.items() if value))


def _compared_vector(case: Case, value: Vector) -> str:
    sets = value.labels.sets()
    got = {}
    for row, labels in enumerate(sets):
        if _key(labels) in got:
            return f"twice: {labels}"
        got[_key(labels)] = [
            float(v) if p else None
            for v, p in zip(value.values[row], value.present[row], strict=True)
        ]
    wanted = {}
    for labels, points_ in case.expected:
        padded = points_ + [None] * (case.grid.size - len(points_))
        wanted[_key(labels or {})] = padded
    if set(got) != set(wanted):
        missing = [dict(k) for k in wanted if k not in got]
        extra = [dict(k) for k in got if k not in wanted]
        return f"series missing {missing[:4]}, extra {[(e, got[_key(e)]) for e in extra[:4]]}"
    for key, points_ in wanted.items():
        if len(points_) != len(got[key]) or not all(
            _near(a, b) for a, b in zip(points_, got[key], strict=True)
        ):
            return f"{dict(key)}: {got[key]} instead of {points_}"
    if case.ordered and list(got) != list(wanted):
        return f"order {list(got)}"
    return ""


def _near(wanted: Point, got: Point) -> bool:
    if wanted is None or got is None:
        return wanted is None and got is None
    assert isinstance(wanted, float) and isinstance(got, float)
    if math.isnan(wanted) or math.isnan(got):
        return math.isnan(wanted) and math.isnan(got) and _stale(wanted) == _stale(got)
    if wanted == got:
        return True
    return math.isclose(wanted, got, rel_tol=EPSILON, abs_tol=1e-300 if wanted else EPSILON)


def _stale(value: float) -> bool:
    return struct.pack("<d", value) == struct.pack("<d", float(STALE))
