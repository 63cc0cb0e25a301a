"""Samples and the series they belong to, as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ids = npt.NDArray[np.uint64]
Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

# Prometheus marks the end of a series with this NaN and no other.
# Source: prometheus/prometheus, model/value/value.go, StaleNaN.
STALE_BITS: Final = 0x7FF0000000000002
STALE: Final = float(np.array([STALE_BITS], np.uint64).view(np.float64)[0])

METRIC: Final = pa.dictionary(pa.int32(), pa.string())
MILLISECONDS: Final = pa.timestamp("ms", "UTC")
MICROSECONDS: Final = pa.timestamp("us", "UTC")
LABELS: Final = pa.map_(pa.string(), pa.string())


class Series(NamedTuple):
    """What a series is called: its metric, and its labels without `__name__`."""

    metric: str
    labels: Mapping[str, str]


# Only the ids that are new to the intake are looked up in it; it may hold more.
SeriesSet = Mapping[int, Series]


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples, one row each.

    Shape: four columns of one length; `metric` is a list or an Arrow array of text.
    """

    metric: pa.Array | pa.ChunkedArray | Sequence[str]
    ids: Ids
    ts_ms: Times
    values: Values

    def __len__(self) -> int:
        return len(self.ids)


def table_of(samples: Samples) -> pa.Table:
    """Samples as rows of the table `samples`."""
    metric = samples.metric
    if not isinstance(metric, pa.Array | pa.ChunkedArray):
        metric = pa.array(metric, pa.string())
    if not pa.types.is_dictionary(metric.type):
        metric = metric.dictionary_encode()
    return pa.table(
        {
            "metric": metric.cast(METRIC) if metric.type != METRIC else metric,
            "id": pa.array(samples.ids, pa.uint64()),
            "ts": pa.array(samples.ts_ms, pa.int64()).view(MILLISECONDS),
            "value": pa.array(samples.values, pa.float64()),
        }
    )
