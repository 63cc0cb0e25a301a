"""Prometheus' JSON and text formats.

Source: Prometheus, HTTP API; Exposition formats.
"""

import json
import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from steerway.telemetry.metrics.rules import Answer
from steerway.telemetry.vectors.labels import NAME, Rows
from steerway.telemetry.vectors.native import Histogram
from steerway.telemetry.vectors.numbers import plain
from steerway.telemetry.vectors.shapes import Floats, Samples, Scalar, Text, Times, Vector

SMALL, LARGE = 1e-6, 1e21  # outside, a number has an exponent
# Between these, Arrow writes what Prometheus does.
PLAIN_MIN, PLAIN_MAX = 1e-4, 1e10
ROWS_AT_ONCE: Final = 1_000  # their text stays below two gigabytes
SERIES_LABEL: Final = (",", ":")


def number(value: float) -> str:
    """A number as Prometheus' JSON has it, without the quotes."""
    size = abs(value)
    if not math.isfinite(value) or size == 0 or SMALL <= size < LARGE:
        return plain(value)
    return repr(value)


def seconds(milliseconds: int) -> str:
    """A moment as a JSON number."""
    whole, rest = divmod(abs(milliseconds), 1000)
    sign = "-" if milliseconds < 0 else ""
    return f"{sign}{whole}.{rest:03d}" if rest else f"{sign}{whole}"


def query_data(answer: Answer, most: int = 0) -> str:
    """What a query answers; `most` series, all when that is 0."""
    value = answer.value
    if isinstance(value, Text):
        result = f"[{seconds(answer.grid.start)},{json.dumps(value.text)}]"
        return f'{{"resultType":"string","result":{result}}}'
    if isinstance(value, Scalar) and answer.kind == "scalar" and answer.grid.size == 1:
        result = f'[{seconds(answer.grid.start)},"{number(float(value.values[0]))}"]'
        return f'{{"resultType":"scalar","result":{result}}}'
    if isinstance(value, Vector) and answer.kind == "vector":
        rows: Iterator[str] = _vector(value, answer)
    elif isinstance(value, Samples):
        rows = _samples(value)
    else:
        rows = _matrix(value, answer)
    kind = "vector" if answer.kind == "vector" and isinstance(value, Vector) else "matrix"
    listed = list(rows)
    listed = listed[:most] if most else listed
    return f'{{"resultType":"{kind}","result":[{",".join(listed)}]}}'


def _metric(labels: Mapping[str, str]) -> str:
    return json.dumps(labels, separators=SERIES_LABEL, ensure_ascii=False)


def _vector(value: Vector, answer: Answer) -> Iterator[str]:
    time = seconds(answer.grid.start)
    for row, labels in enumerate(value.labels.sets()):
        found = None if value.histograms is None else value.histograms[row, 0]
        if found is not None:
            yield f'{{"metric":{_metric(labels)},"histogram":[{time},{histogram(found)}]}}'
        else:
            text = number(float(value.values[row, 0]))
            yield f'{{"metric":{_metric(labels)},"value":[{time},"{text}"]}}'


def _matrix(value: Any, answer: Answer) -> Iterator[str]:
    if isinstance(value, Scalar):
        points = _points(answer.grid.times, value.values, np.array([0, len(value.values)]))
        yield f'{{"metric":{{}},"values":[{points[0]}]}}'
        return
    assert isinstance(value, Vector)
    floats = value.floats
    columns = np.nonzero(floats)[1]
    starts = np.concatenate([[0], np.cumsum(floats.sum(axis=1))])
    points = _points(answer.grid.times[columns], value.values[floats], starts)
    for row, labels in enumerate(value.labels.sets()):
        parts = [f'"metric":{_metric(labels)}']
        if points[row]:
            parts.append(f'"values":[{points[row]}]')
        if value.histograms is not None and value.natives[row].any():
            parts.append(f'"histograms":[{_histograms(value, row, answer)}]')
        yield "{" + ",".join(parts) + "}"


def _histograms(value: Vector, row: int, answer: Answer) -> str:
    assert value.histograms is not None
    found = value.histograms[row]
    times = answer.grid.times.tolist()
    held = np.flatnonzero(value.natives[row])
    return ",".join(f"[{seconds(times[at])},{histogram(found[at])}]" for at in held)


def _samples(value: Samples) -> Iterator[str]:
    points = _points(value.times, value.values, value.starts)
    for row, labels in enumerate(value.labels.sets()):
        if points[row]:
            yield f'{{"metric":{_metric(labels)},"values":[{points[row]}]}}'


def _points(times: Times, values: Floats, starts: Rows) -> list[str]:
    """Pairs of time and value, row after row: by far the most of most answers.

    Written by Arrow, several times as fast as number by number.
    """
    found: list[str] = []
    ends = np.append(np.arange(0, len(starts) - 1, ROWS_AT_ONCE), len(starts) - 1)
    for first, last in pairwise(ends.tolist()):
        span = slice(int(starts[first]), int(starts[last]))
        offsets = pa.array((starts[first : last + 1] - starts[first]).astype(np.int32))
        rows = pa.ListArray.from_arrays(offsets, _pairs(times[span], values[span]))
        found += pc.binary_join(rows, ",").to_pylist()
    return found


def _pairs(times: Times, values: Floats) -> pa.Array:
    distinct, inverse = np.unique(times, return_inverse=True)
    begun = pa.array([f'[{seconds(time)},"' for time in distinct.tolist()], pa.string())
    texts = pc.cast(pa.array(values, pa.float64()), pa.string())
    size = np.abs(values)
    odd = ~(((size >= PLAIN_MIN) & (size < PLAIN_MAX)) | (size == 0))
    if odd.any():
        written = pa.array([number(one) for one in values[odd].tolist()], pa.string())
        texts = pc.replace_with_mask(texts, pa.array(odd), written)
    at = pa.array(inverse.reshape(-1))
    return pc.binary_join_element_wise(begun.take(at), texts, '"]', "")


def histogram(found: Histogram) -> str:
    """A native histogram: count, sum and the buckets that have any."""
    buckets = []
    for low, high, count in found.buckets():
        closed = 3 if low < 0 < high else (1 if high <= 0 else 0)
        buckets.append(f'[{closed},"{number(low)}","{number(high)}","{number(count)}"]')
    return (
        f'{{"count":"{number(found.count)}","sum":"{number(found.sum)}",'
        f'"buckets":[{",".join(buckets)}]}}'
    )


def success(data: str) -> bytes:
    """An answer around its data."""
    return f'{{"status":"success","data":{data}}}'.encode()


def failure(kind: str, why: str) -> bytes:
    """Why there is none; `detail` is for clients of ours, which read it from every answer."""
    body = {"status": "error", "errorType": kind, "error": why, "detail": why}
    return json.dumps(body).encode()


def exposition(value: Vector, times: Vector, types: Mapping[str, str]) -> str:
    """The newest samples of series as text, with the moments at which they were taken."""
    lines, last = [], ""
    for row, labels in enumerate(value.labels.sets()):
        name = labels.pop(NAME, "")
        if name != last:
            lines.append(f"# TYPE {name} {types.get(name, 'untyped')}")
            last = name
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        moment = round(float(times.values[row, 0]) * 1000)
        shown = f"{{{inner}}}" if inner else ""
        lines.append(f"{name}{shown} {number(float(value.values[row, 0]))} {moment}")
    return "\n".join(lines) + "\n" if lines else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
