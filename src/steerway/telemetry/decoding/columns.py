"""Samples that are gathered piece by piece, then made into columns once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from steerway.telemetry.ingest.rules.samples import Ids, Samples, Times, Values


class Names:
    """Metrics by number; one column of names serves all requests until there is a new one."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._column = pa.array([], pa.string())

    def number(self, metric: str) -> int:
        """The number of a metric."""
        return self._numbers.setdefault(metric, len(self._numbers))

    def column(self) -> pa.Array:
        """The names in the order of their numbers."""
        if len(self._column) != len(self._numbers):
            self._column = pa.array(list(self._numbers), pa.string())
        return self._column


class Gathered:
    """The samples of one request."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.number = names.number
        self._metrics: list[npt.NDArray[np.int32]] = []
        self._ids: list[Ids] = []
        self._times: list[Times] = []
        self._values: list[Values] = []

    def add(
        self,
        metrics: Sequence[int] | npt.NDArray[np.int32],
        ids: Sequence[int] | Ids,
        times_ms: Sequence[int] | Times,
        values: Sequence[float] | Values,
    ) -> None:
        """Four columns of one length."""
        self._metrics.append(np.asarray(metrics, np.int32))
        self._ids.append(np.asarray(ids, np.uint64))
        self._times.append(np.asarray(times_ms, np.int64))
        self._values.append(np.asarray(values, np.float64))

    def samples(self) -> Samples:
        """All of them."""
        numbers = np.concatenate([*self._metrics, np.zeros(0, np.int32)])
        return Samples(
            pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int32()), self._names.column()),
            np.concatenate([*self._ids, np.zeros(0, np.uint64)]),
            np.concatenate([*self._times, np.zeros(0, np.int64)]),
            np.concatenate([*self._values, np.zeros(0)]),
        )
