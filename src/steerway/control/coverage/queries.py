"""What should be seen of each service, and its grid."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from steerway.delivery.runtimes import queries as runtimes
from steerway.planning.catalog import queries as catalog
from steerway.telemetry.coverage import queries as coverage
from steerway.telemetry.coverage.queries import Grid
from steerway.telemetry.coverage.rules import SILENCE_MAX, Expected, Place
from steerway.telemetry.store import Store


def expected(services: Collection[str]) -> list[Expected]:
    """What should be seen of these services in each environment they declare. Three queries."""
    declared = catalog.sections(services, "telemetry")
    runs = catalog.sections(services, "run")
    running = {(r.service, r.environment) for r in runtimes.live_of(services) if r.wanted}
    return [
        _expected(Place(*place), declared.get(place, {}), run, is_running=place in running)
        for place, run in runs.items()
    ]


def grids(
    store: Store, services: Collection[str], *, now: datetime, silence: timedelta = SILENCE_MAX
) -> list[Grid]:
    """The coverage of these services, environment by environment."""
    return coverage.grids(store, expected(services), now=now, silence=silence)


def _expected(
    place: Place, telemetry: Mapping[str, Any], run: Mapping[str, Any], *, is_running: bool
) -> Expected:
    return Expected(
        place,
        is_running=is_running,
        is_routed=run["port"] != "none",
        scrapes=bool(telemetry.get("scrape")),
        databases=len(telemetry.get("databases", ())),
        suppliers=len(telemetry.get("suppliers", ())),
    )
