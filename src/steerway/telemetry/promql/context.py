"""A query under way."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from steerway.telemetry.promql.source import Source
from steerway.telemetry.vectors.shapes import Grid

LOOKBACK_MS: Final = 5 * 60 * 1000
CELLS_MAX: Final = 50_000_000  # Prometheus' own limit of samples in one query


@dataclass(frozen=True, slots=True)
class Context:
    """A query under way: where samples come from, when it is evaluated, what it may take.

    `query` is the grid of the whole query, to which start() and end() refer; `check` raises when
    the query is to stop.
    """

    source: Source
    grid: Grid
    query: Grid
    check: Callable[[], None] = lambda: None
    lookback: int = LOOKBACK_MS
    cells_max: int = CELLS_MAX

    def on(self, grid: Grid) -> "Context":
        """The same query at other moments."""
        return replace(self, grid=grid)
