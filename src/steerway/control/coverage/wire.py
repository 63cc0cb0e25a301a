"""Coverage as JSON."""

from datetime import datetime

from pydantic import BaseModel, Field

from steerway.telemetry.coverage.queries import Grid


class CellOut(BaseModel):
    """One cell: a signal of a layer."""

    layer: str
    signal: str
    state: str = Field(description="fresh, quiet, stale, never seen or not expected.")
    seen_at: datetime | None = Field(description="When it last had something.")


class GridOut(BaseModel):
    """A service in one environment."""

    service: str
    environment: str
    cells: list[CellOut]

    @classmethod
    def of(cls, one: Grid) -> "GridOut":
        """Every cell, layer by layer."""
        cells = [
            CellOut(layer=c.layer, signal=c.signal, state=c.state, seen_at=c.seen_at)
            for c in one.cells
        ]
        return cls(service=one.place.service, environment=one.place.environment, cells=cells)
