"""Runs cases of the notation and says what is wrong with an answer."""

import math
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from steerway.platform.errors import SteerwayError
from steerway.telemetry.metrics import queries
from steerway.telemetry.metrics.rules import Answer
from steerway.telemetry.series.natives import COLUMNS
from steerway.telemetry.store import Store, series_id
from steerway.telemetry.vectors.native import Histogram
from steerway.telemetry.vectors.shapes import STALE, Samples, Scalar, Text, Vector
from tests.telemetry.metrics.notation import Case, Labels, Load, Point, cases

MS = pa.timestamp("ms", "UTC")
EPSILON = 1e-6


def loaded(store: Store, path: Path) -> Iterator[Case]:
    """Every `eval` of a file, each once what it asks about is in the store."""
    last: list[Load] | None = None
    for case in cases(path):
        if case.loads is not last:
            load(store, case.loads)
            last = case.loads
        yield case


def load(store: Store, loads: list[Load]) -> None:
    """Put series into the store; nothing else is in it then."""
    for table in ("samples", "series", "histograms"):
        store.execute(f"TRUNCATE TABLE {table}")
    held: dict[tuple[int, int], tuple[str, float]] = {}
    natives: dict[tuple[int, int], tuple[str, Histogram]] = {}
    known: dict[int, Labels] = {}
    for step, labels, values in ((one.step, *pair) for one in loads for pair in one.series):
        name = labels.get("__name__", "")
        rest = {key: value for key, value in labels.items() if key != "__name__"}
        number_ = series_id(name, rest)
        known[number_] = labels
        for at, value in enumerate(values):
            if isinstance(value, float):
                held[number_, at * step] = (name, value)
            elif isinstance(value, Histogram):
                natives[number_, at * step] = (name, value)
    _keep_series(store, known)
    if held:
        store.insert(
            "samples",
            pa.table(
                {
                    **_keys(held),
                    "value": np.array([value for _, value in held.values()], np.float64),
                }
            ),
        )
    if natives:
        columns = {
            name: [getattr(value, name) for _, value in natives.values()] for name in COLUMNS
        }
        types = {"schema": pa.int8(), "positive_offset": pa.int32(), "negative_offset": pa.int32()}
        types |= {name: pa.list_(pa.float64()) for name in ("positive", "negative")}
        store.insert(
            "histograms",
            pa.table(
                {
                    **_keys(natives),
                    **{
                        name: pa.array(rows, types.get(name, pa.float64()))
                        for name, rows in columns.items()
                    },
                }
            ),
        )


def _keys(held: Mapping[tuple[int, int], tuple[str, object]]) -> dict[str, pa.Array]:
    return {
        "metric": pa.array([name for name, _ in held.values()]),
        "id": pa.array([key[0] for key in held], pa.uint64()),
        "ts": pa.array([key[1] for key in held], MS),
    }


def _keep_series(store: Store, known: Mapping[int, Labels]) -> None:
    rows = list(known.items())
    store.insert(
        "series",
        pa.table(
            {
                "metric": pa.array([labels.get("__name__", "") for _, labels in rows], pa.string()),
                "id": pa.array([number_ for number_, _ in rows], pa.uint64()),
                "labels": pa.array(
                    [
                        {k: v for k, v in labels.items() if k != "__name__" and v}
                        for _, labels in rows
                    ],
                    pa.map_(pa.string(), pa.string()),
                ),
                "service": pa.array([""] * len(rows), pa.string()),
                "min_ts": pa.array([0] * len(rows), MS),
                "max_ts": pa.array([0] * len(rows), MS),
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
        got[_key(labels)] = [_point(value, row, column) for column in range(value.width)]
    wanted = {}
    for labels, points_ in case.expected:
        padded: list[Point] = points_ + [None] * (case.grid.size - len(points_))
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


def _point(value: Vector, row: int, column: int) -> Point:
    if not value.present[row, column]:
        return None
    found = None if value.histograms is None else value.histograms[row, column]
    return found if found is not None else float(value.values[row, column])


def _near(wanted: Point, got: Point) -> bool:
    if wanted is None or got is None:
        return wanted is None and got is None
    if isinstance(wanted, Histogram) or isinstance(got, Histogram):
        if not (isinstance(wanted, Histogram) and isinstance(got, Histogram)):
            return False
        return _alike(wanted, got)
    if math.isnan(wanted) or math.isnan(got):
        return math.isnan(wanted) and math.isnan(got) and _stale(wanted) == _stale(got)
    if wanted == got:
        return True
    return math.isclose(wanted, got, rel_tol=EPSILON, abs_tol=1e-300 if wanted else EPSILON)


def _alike(wanted: Histogram, got: Histogram) -> bool:
    one, other = list(wanted.buckets()), list(got.buckets())
    numbers = [(wanted.count, got.count), (wanted.sum, got.sum)]
    numbers += [pair for a, b in zip(one, other, strict=False) for pair in zip(a, b, strict=True)]
    return len(one) == len(other) and all(_near(float(a), float(b)) for a, b in numbers)


def _stale(value: float) -> bool:
    return struct.pack("<d", value) == struct.pack("<d", float(STALE))
