"""Where samples come from."""

from typing import Protocol

from steerway.telemetry.promql.parsing import Selector
from steerway.telemetry.vectors.labels import Symbols
from steerway.telemetry.vectors.shapes import Grid, Samples, Vector


class Source(Protocol):
    """Answers selectors. All labels of one query share `symbols`.

    Series come in the order of their labels, with their names.
    """

    symbols: Symbols

    def newest(self, selector: Selector, grid: Grid, lookback: int) -> Vector:
        """The newest sample of each series at each moment, unless it is older or a stale mark."""

    def when_newest(self, selector: Selector, grid: Grid, lookback: int) -> Vector:
        """When that was, in seconds."""

    def samples(self, selector: Selector, start: int, end: int) -> Samples:
        """All samples after `start`, up to `end`, without stale marks."""

    def rolled(self, function: str, selector: Selector, grid: Grid, length: int) -> Vector | None:
        """A range function over windows that end at the moments; None: take the samples."""
