"""Noting how cells turn."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from steerway.platform.log.rules import moment
from steerway.platform.work import Work
from steerway.telemetry.coverage.models import CoverageCell
from steerway.telemetry.coverage.queries import Grid
from steerway.telemetry.coverage.rules import Cell, Spot, State, turns

# Of one look: when everything goes dark at once, the log says enough with these.
TURNS_MAX: Final = 100
# A cell that flickers is not news each time.
AGAIN: Final = timedelta(minutes=1)
KEPT: Final = (State.FRESH, State.QUIET, State.STALE)


def note(work: Work, grids: Iterable[Grid], before: Mapping[Spot, State]) -> dict[Spot, State]:
    """Keep how cells have turned, and record which went stale and which came back.

    `before` is what the last look, or the table, said. Answers how they are now; one whose turn
    has to wait is as it was.
    """
    cells = {Spot(grid.place, c.layer, c.signal): c for grid in grids for c in grid.cells}
    now = {spot: cell.state for spot, cell in cells.items()}
    told = 0
    news = dict(turns(before, now))
    for spot, state in now.items():
        if state not in KEPT or state is before.get(spot):
            continue
        if spot in news and (told >= TURNS_MAX or not _may_turn(work, spot)):
            now[spot] = before.get(spot, State.NEVER)
            continue
        _keep(work, spot, cells[spot])
        if spot in news:
            told += 1
            _record(work, spot, cells[spot])
    return now


def _may_turn(work: Work, spot: Spot) -> bool:
    found = CoverageCell.objects.filter(**_key(spot), turned_at__gt=work.now - AGAIN)
    return not found.filter(state=State.STALE.value).exists()


def _keep(work: Work, spot: Spot, cell: Cell) -> None:
    found, _ = CoverageCell.objects.get_or_create(
        service=spot.place.service,
        environment=spot.place.environment,
        layer=spot.layer.value,
        signal=spot.signal.value,
        defaults={"turned_at": work.now},
    )
    found.state, found.seen_at, found.turned_at = cell.state.value, cell.seen_at, work.now
    found.save()


def _record(work: Work, spot: Spot, cell: Cell) -> None:
    work.record(
        "telemetry.stale" if cell.state is State.STALE else "telemetry.fresh",
        f"{spot.place.service} {spot.layer} {spot.signal}",
        service=spot.place.service,
        environment=spot.place.environment,
        layer=spot.layer.value,
        signal=spot.signal.value,
        seen_at=moment(cell.seen_at) if cell.seen_at else "",
    )


def _key(spot: Spot) -> dict[str, str]:
    return {
        "service": spot.place.service,
        "environment": spot.place.environment,
        "layer": spot.layer.value,
        "signal": spot.signal.value,
    }
