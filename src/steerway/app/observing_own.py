"""Steerway's own metrics: what waits, what runs, what is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from steerway import __version__
from steerway.delivery.deployments import queries as deployments
from steerway.planning.catalog import queries as catalog
from steerway.planning.changes import queries as changes
from steerway.platform.db import reading
from steerway.platform.log import queries as log
from steerway.telemetry import store
from steerway.telemetry.collectors.rules.board import Board
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.scraping.rules.batch import Point
from steerway.telemetry.store import StoreDown

# The rows and bytes of each table, from the engine's own list of parts.
KEPT: Final = """
SELECT table AS name, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts
FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table
"""


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    rows: int
    bytes: int
    parts: int


def own_points(board: Board, intake: Intake) -> Iterator[Point]:
    """Everything that Steerway says of itself."""
    yield Point("steerway_build_info", {"version": __version__}, 1)
    with reading():
        yield Point("steerway_log_entries", {}, log.last_seq())
        yield Point("steerway_services", {}, catalog.count())
        yield Point("steerway_deployments_running", {}, len(deployments.running()))
        yield Point("steerway_changes_frozen", {}, float(changes.freeze() is not None))
    yield from _ingest(intake)
    yield from _store()
    yield from board.points()


def _ingest(intake: Intake) -> Iterator[Point]:
    yield Point("steerway_ingest_waiting_bytes", {}, intake.waiting_bytes)
    yield Point("steerway_series", {}, len(intake.book))
    for name, count in dict(intake.counts).items():
        outcome, dot, table = name.partition(".")
        if dot:
            labels = {"outcome": outcome, "table": table}
            yield Point("steerway_ingest_rows_total", labels, count)
        else:
            yield Point("steerway_ingest_refused_total", {"reason": name}, count)


def _store() -> Iterator[Point]:
    try:
        kept = store.current().rows(_Kept, KEPT)
    except StoreDown:
        return  # its being away is told by those who need it
    for one in kept:
        labels = {"table": one.name}
        yield Point("steerway_store_rows", labels, one.rows)
        yield Point("steerway_store_bytes", labels, one.bytes)
        yield Point("steerway_store_parts", labels, one.parts)
