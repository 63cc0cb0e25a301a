"""Prometheus' JSON and text formats.

Source: Prometheus, HTTP API; Exposition formats.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from steerway.telemetry.metrics.rules import Answer
from steerway.telemetry.vectors.labels import NAME
from steerway.telemetry.vectors.native import Histogram
from steerway.telemetry.vectors.numbers import plain
from steerway.telemetry.vectors.shapes import Floats, Samples, Scalar, Text, Vector, are_natives

SMALL, LARGE = 1e-6, 1e21  # outside, a number has an exponent
# Between these, `repr` writes no exponent.
PLAIN_MIN, PLAIN_MAX = 1e-4, 1e16
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
    times = [seconds(time) for time in answer.grid.times.tolist()]
    if isinstance(value, Scalar):
        yield f'{{"metric":{{}},"values":[{_points(times, value.values)}]}}'
        return
    assert isinstance(value, Vector)
    for row, labels in enumerate(value.labels.sets()):
        held = value.present[row]
        found = None if value.histograms is None else value.histograms[row]
        parts = [f'"metric":{_metric(labels)}']
        floats = held if found is None else held & ~are_natives(found)
        if floats.all():
            parts.append(f'"values":[{_points(times, value.values[row])}]')
        elif floats.any():
            there = [times[at] for at in np.flatnonzero(floats)]
            parts.append(f'"values":[{_points(there, value.values[row][floats])}]')
        if found is not None and (held & ~floats).any():
            points = [
                f"[{times[at]},{histogram(found[at])}]" for at in np.flatnonzero(held & ~floats)
            ]
            parts.append(f'"histograms":[{",".join(points)}]')
        yield "{" + ",".join(parts) + "}"


def _samples(value: Samples) -> Iterator[str]:
    for row, labels in enumerate(value.labels.sets()):
        span = slice(int(value.starts[row]), int(value.starts[row + 1]))
        if span.start == span.stop:
            continue
        times = [seconds(time) for time in value.times[span].tolist()]
        points = _points(times, value.values[span])
        yield f'{{"metric":{_metric(labels)},"values":[{points}]}}'


def _points(times: list[str], values: Floats) -> str:
    """Pairs of time and value; by far the most of most answers."""
    size = np.abs(values)
    is_plain = ((size >= PLAIN_MIN) & (size < PLAIN_MAX)) | (size == 0)
    numbers = values.tolist()
    if is_plain.all():
        text = ",".join([f'[{time},"{one!r}"]' for time, one in zip(times, numbers, strict=True)])
        return text.replace('.0"]', '"]')
    return ",".join([f'[{time},"{number(one)}"]' for time, one in zip(times, numbers, strict=True)])


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
    """Why there is none."""
    return json.dumps({"status": "error", "errorType": kind, "error": why}).encode()


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
