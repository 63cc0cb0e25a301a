"""The same samples as bodies of remote write and of OTLP."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from steerway.telemetry.decoding.protobuf import COMMON, METRICS, messages
from tests.peers import prometheus as peer

EVERY_MS: Final = 15_000
METRIC: Final = messages(COMMON + METRICS)
METRICS_EACH: Final = 50


@dataclass(frozen=True, slots=True)
class Load:
    """Series that are sent by several senders, each its own share, in order of time."""

    name: str
    series: int
    steps: int  # samples of each series
    per_body: int  # series in one body
    together: int  # samples of a series in one body

    @property
    def samples(self) -> int:
        """All of them."""
        return self.series * self.steps


def labels_of(number: int) -> dict[str, str]:
    """The labels of one series: as many as a node exporter's have."""
    return {
        "__name__": f"node_work_{number % METRICS_EACH}_total",
        "job": "node",
        "instance": f"host-{number % 100}:9100",
        "cpu": str(number % 16),
        "mode": ("idle", "user", "system", "iowait")[number % 4],
        "number": str(number),
    }


def values_of(load: Load) -> NDArray[np.float64]:
    """A row of values for each series: half counters, a quarter gauges, a quarter that rest."""
    random = np.random.default_rng(7)
    shape = (load.series, load.steps)
    values = np.cumsum(random.integers(0, 200, shape), axis=1).astype(np.float64)
    gauges = np.round(50 + np.cumsum(random.normal(0, 0.5, shape), axis=1), 2)
    kind = np.arange(load.series) % 4
    values[kind == 2] = gauges[kind == 2]
    values[kind == 3] = values[kind == 3][:, :1]
    return values


def writes(load: Load, values: NDArray[np.float64], end_ms: int, first: int) -> Iterator[bytes]:
    """Remote write requests of the share that begins at a series, in order of time."""
    numbers = range(first, min(first + load.per_body, load.series))
    heads = [peer.head(labels_of(number)) for number in numbers]
    begin = end_ms - load.steps * EVERY_MS
    for step in range(0, load.steps, load.together):
        steps = range(step, min(step + load.together, load.steps))
        rows = values[first : first + len(heads), step : step + len(steps)]
        yield peer.written(heads, [begin + at * EVERY_MS for at in steps], rows)


def otlp(load: Load, values: NDArray[np.float64], end_ms: int, first: int) -> Iterator[bytes]:
    """OTLP requests of a share: sums, as an SDK writes them."""
    numbers = range(first, min(first + load.per_body, load.series))
    by_name: dict[str, list[int]] = {}
    for number in numbers:
        by_name.setdefault(labels_of(number)["__name__"], []).append(number)
    begin = end_ms - load.steps * EVERY_MS
    for step in range(load.steps):
        nanoseconds = (begin + step * EVERY_MS) * 1_000_000
        metrics = [
            {"name": name.removesuffix("_total"), "sum": _sum(some, values, step, nanoseconds)}
            for name, some in by_name.items()
        ]
        service = {"key": "service.name", "value": {"string_value": "node"}}
        resource = {"attributes": [service]}
        request = METRIC["Request"](
            resource_metrics=[{"resource": resource, "scope_metrics": [{"metrics": metrics}]}]
        )
        yield request.SerializeToString()


def _sum(
    numbers: list[int], values: NDArray[np.float64], step: int, nanoseconds: int
) -> dict[str, object]:
    points = [
        {
            "start_time_unix_nano": nanoseconds - step * EVERY_MS * 1_000_000,
            "time_unix_nano": nanoseconds,
            "as_double": values[number, step],
            "attributes": [
                {"key": key, "value": {"string_value": text}}
                for key, text in labels_of(number).items()
                if key not in ("__name__", "job")
            ],
        }
        for number in numbers
    ]
    return {"data_points": points, "aggregation_temporality": 2, "is_monotonic": True}
