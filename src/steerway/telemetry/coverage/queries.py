"""When each layer of a service was last seen, from the store."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from steerway.telemetry.coverage.models import CoverageCell
from steerway.telemetry.coverage.rules import (
    JOBS,
    SILENCE_MAX,
    SOURCES,
    Cell,
    Expected,
    Layer,
    Place,
    Seen,
    Signal,
    Spot,
    State,
    grid,
)
from steerway.telemetry.store import Limits, Store

# How far back the store is asked. What is older is known from the cell that turned then.
LOOK_BACK: Final = timedelta(minutes=10)
LIMITS: Final = Limits(seconds=10, rows_max=200_000)

# A failing target says `up` 0 all the time, and is not seen for that.
METRICS: Final = """
SELECT named.service AS service, named.environment AS environment, named.job AS job,
       max(newest) AS seen_at
FROM (
  SELECT metric, id, max(ts) AS newest FROM samples
  WHERE ts > {since:DateTime64(3, 'UTC')} AND ts <= {now:DateTime64(3, 'UTC')}
    AND reinterpretAsUInt64(value) != 9218868437227405314
    AND metric NOT IN ('up', 'scrape_duration_seconds', 'scrape_samples_scraped',
                       'pg_up', 'sqlite_up', 'replica_up', 'probe_success',
                       'probe_duration_seconds', 'probe_http_status_code')
  GROUP BY metric, id
) AS found
INNER JOIN (
  SELECT metric, id, any(service) AS service, any(labels['environment']) AS environment,
         any(labels['job']) AS job
  FROM series GROUP BY metric, id
) AS named USING (metric, id)
WHERE named.service != '' OR named.job = 'host'
GROUP BY service, environment, job
"""
PROBED: Final = """
SELECT named.service AS service, named.environment AS environment, max(newest) AS seen_at
FROM (
  SELECT metric, id, max(ts) AS newest FROM samples
  WHERE metric = 'probe_duration_seconds' AND ts > {since:DateTime64(3, 'UTC')}
    AND ts <= {now:DateTime64(3, 'UTC')} AND reinterpretAsUInt64(value) != 9218868437227405314
  GROUP BY metric, id
) AS found
INNER JOIN (
  SELECT metric, id, any(service) AS service, any(labels['environment']) AS environment
  FROM series WHERE metric = 'probe_duration_seconds' GROUP BY metric, id
) AS named USING (metric, id)
GROUP BY service, environment
"""
# What names its trace is a word of the application, also when the process printed it.
LOGS: Final = """
SELECT service, environment,
       arrayJoin(if(source = 'process' AND trace_id != '', ['process', 'otlp'],
                    [toString(source)])) AS job,
       max(ts) AS seen_at
FROM logs
WHERE ts > {since:DateTime64(3, 'UTC')} AND ts <= {now:DateTime64(3, 'UTC')} AND service != ''
GROUP BY service, environment, job
"""
SPANS: Final = """
SELECT service, environment, max(ts) AS seen_at FROM spans
WHERE ts > {since:DateTime64(3, 'UTC')} AND ts <= {now:DateTime64(3, 'UTC')} AND service != ''
GROUP BY service, environment
"""
REQUESTS: Final = """
SELECT service, environment, max(ts) AS seen_at FROM requests
WHERE ts > {since:DateTime64(3, 'UTC')} AND ts <= {now:DateTime64(3, 'UTC')} AND service != ''
GROUP BY service, environment
"""
BUSY: Final = """
SELECT any(named.service) AS service, any(named.environment) AS environment
FROM (
  SELECT id FROM samples
  WHERE metric = 'router_requests_total' AND ts > {since:DateTime64(3, 'UTC')}
    AND ts <= {now:DateTime64(3, 'UTC')} AND isFinite(value)
  GROUP BY id HAVING max(value) > min(value)
) AS moved
INNER JOIN (
  SELECT id, any(service) AS service, any(labels['environment']) AS environment
  FROM series WHERE metric = 'router_requests_total' GROUP BY id
) AS named USING (id)
GROUP BY named.service, named.environment
"""


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one place."""

    place: Place
    cells: list[Cell]

    @property
    def rows(self) -> list[tuple[str, list[Cell]]]:
        """The cells layer by layer, each by its signals."""
        return [(layer.value, [self.cell(layer, one) for one in Signal]) for layer in Layer]

    def cell(self, layer: Layer, signal: Signal) -> Cell:
        """One of them."""
        return next(one for one in self.cells if (one.layer, one.signal) == (layer, signal))


def only_fresh(grid: Grid) -> Grid:
    """The cells that are fresh; of the others nothing is said yet."""
    return Grid(grid.place, [one for one in grid.cells if one.state is State.FRESH])


@dataclass(frozen=True, slots=True)
class _Found:
    service: str
    environment: str
    seen_at: datetime
    job: str = ""


@dataclass(frozen=True, slots=True)
class _Busy:
    service: str
    environment: str


def grids(
    store: Store,
    expected: Iterable[Expected],
    *,
    now: datetime,
    silence: timedelta = SILENCE_MAX,
) -> list[Grid]:
    """The coverage of every place that is asked for.

    Shape: six questions to the store and one to the records, however many places.
    """
    wanted = list(expected)
    found = seen(store, now=now, silence=silence, places=[one.place for one in wanted])
    return [Grid(one.place, grid(one, found, now=now, silence=silence)) for one in wanted]


def seen(store: Store, *, now: datetime, silence: timedelta, places: Iterable[Place]) -> Seen:
    """When each cell of these places was last seen."""
    wanted = set(places)
    last = _older(wanted)
    asked: dict[str, object] = {"since": now - LOOK_BACK, "now": now + timedelta(seconds=10)}
    for spot, moment in _spots(store, asked, wanted):
        before = last.get(spot)
        last[spot] = moment if before is None else max(before, moment)
    asked["since"] = now - silence
    busy = store.rows(_Busy, BUSY, asked, limits=LIMITS)
    return Seen(last, frozenset(Place(one.service, one.environment) for one in busy))


def states() -> dict[Spot, State]:
    """How the cells were that have ever been seen."""
    return {_spot(one): State(one.state) for one in CoverageCell.objects.all()}


def _spots(
    store: Store, asked: dict[str, object], places: set[Place]
) -> Iterable[tuple[Spot, datetime]]:
    for one in store.rows(_Found, METRICS, asked, limits=LIMITS):
        layer = JOBS.get(one.job, Layer.APPLICATION)
        # One host carries every service of this installation.
        owners = places if layer is Layer.HOST else {Place(one.service, one.environment)}
        for place in owners:
            yield Spot(place, layer, Signal.METRICS), one.seen_at
    for one in store.rows(_Found, PROBED, asked, limits=LIMITS):
        place = Place(one.service, one.environment)
        yield Spot(place, Layer.SUPPLIER, Signal.METRICS), one.seen_at
    for one in store.rows(_Found, LOGS, asked, limits=LIMITS):
        if (found := SOURCES.get(one.job)) is not None:
            yield Spot(Place(one.service, one.environment), found, Signal.LOGS), one.seen_at
    for sql, layer, signal in (
        (SPANS, Layer.APPLICATION, Signal.TRACES),
        (REQUESTS, Layer.ROUTER, Signal.LOGS),
    ):
        for one in store.rows(_Found, sql, asked, limits=LIMITS):
            yield Spot(Place(one.service, one.environment), layer, signal), one.seen_at


def _older(places: set[Place]) -> dict[Spot, datetime]:
    found = CoverageCell.objects.filter(service__in={one.service for one in places})
    return {_spot(one): one.seen_at for one in found if one.seen_at is not None}


def _spot(one: CoverageCell) -> Spot:
    return Spot(Place(one.service, one.environment), Layer(one.layer), Signal(one.signal))
