"""What changed while a chart was drawn, and what the router's records say of a service."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.urls import reverse

from steerway.control.signals.rules import Marker
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Kind
from steerway.telemetry.logs import queries as logs
from steerway.telemetry.logs.rules import severity
from steerway.telemetry.logs.rules.search import Filter, Line
from steerway.telemetry.store import Limits, Store

MARKERS_MAX: Final = 60  # more would be a fence
ENDPOINTS: Final = 10
TRACES: Final = 8
LINES: Final = 7
QUICK: Final = Limits(seconds=5, memory_bytes=200 * 1024 * 1024, rows_max=1_000)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Requests of one method to one path, with what differs from request to request left out."""

    method: str
    path: str
    requests: int
    failed_ratio: float
    p50_ms: float
    p95_ms: float


# Numbers and long ids in a path name a thing, not an endpoint.
TOP_ENDPOINTS: Final = """
SELECT
    method,
    replaceRegexpAll(cutQueryString(path), '/([0-9]+|[0-9a-fA-F-]{16,})(/|$)', '/…\\\\2') AS path,
    count() AS requests,
    countIf(status >= 500 OR status = 0) / count() AS failed_ratio,
    quantile(0.5)(duration_ms) AS p50_ms,
    quantile(0.95)(duration_ms) AS p95_ms
FROM requests
WHERE service = {service:String} AND environment = {environment:String}
    AND ts >= {start:DateTime64(3)} AND ts < {end:DateTime64(3)}
GROUP BY method, path
ORDER BY requests DESC, path
LIMIT {rows:UInt32}
"""


def endpoints(
    store: Store, *, service: str, environment: str, start: datetime, end: datetime
) -> list[Endpoint]:
    """The most asked endpoints, the busiest first.

    Raises:
        StoreDown: the store does not answer.
        QueryTooLarge: there is more in this time than can be looked through.
    """
    params = {
        "service": service,
        "environment": environment,
        "start": start,
        "end": end,
        "rows": ENDPOINTS,
    }
    return store.rows(Endpoint, TOP_ENDPOINTS, params, limits=QUICK)


@dataclass(frozen=True, slots=True)
class SlowTrace:
    """A request that took long, by the span of the service that answered it."""

    trace_id: str
    name: str
    ts: datetime
    duration: timedelta
    status: str
    version: str


SLOWEST: Final = """
SELECT trace_id, toString(name) AS name, ts, duration_ns, toString(status) AS status,
       toString(version) AS version
FROM spans
WHERE service = {service:String} AND environment = {environment:String}
    AND ts >= {start:DateTime64(6)} AND ts < {end:DateTime64(6)}
    AND kind IN ('server', 'consumer') AND trace_id != ''
ORDER BY duration_ns DESC
LIMIT {rows:UInt32}
"""


def slowest(
    store: Store, *, service: str, environment: str, start: datetime, end: datetime
) -> list[SlowTrace]:
    """The requests that took longest, the slowest first. Raises: as `endpoints`."""
    params = {
        "service": service,
        "environment": environment,
        "start": start,
        "end": end,
        "rows": TRACES,
    }
    found = store.table(SLOWEST, params, limits=QUICK).to_pylist()
    return [
        SlowTrace(duration=timedelta(microseconds=row.pop("duration_ns") / 1000), **row)
        for row in found
    ]


def errors(
    store: Store, *, service: str, environment: str, start: datetime, end: datetime
) -> list[Line]:
    """The newest lines of severity error and worse. Raises: as `endpoints`."""
    asked = Filter(
        since=start,
        until=end,
        service=service,
        environment=environment,
        severity=severity.NUMBERS["error"],
    )
    return list(logs.search(store, asked, rows=LINES, limits=QUICK).lines)


def markers(
    *, start: datetime, end: datetime, service: str = "", environment: str = ""
) -> list[Marker]:
    """The moments at which deployments took over, newest first. One query."""
    found = deployments.switched_between(
        start, end, service=service, environment=environment, rows=MARKERS_MAX
    )
    return [_marker(one, is_named=not service) for one in found]


def _marker(one: Deployment, *, is_named: bool) -> Marker:
    assert one.switched_at is not None
    is_back = one.kind == Kind.ROLLBACK
    what = f"{one.service} {one.version}" if is_named else one.version
    return Marker(
        at=one.switched_at,
        label=f"{what} in {one.environment}, {one.ref}" + (" (rollback)" if is_back else ""),
        url=reverse("deployments:detail", args=[one.ref]),
        tone="warn" if is_back else "brand",
        service=one.service,
        environment=one.environment,
    )
