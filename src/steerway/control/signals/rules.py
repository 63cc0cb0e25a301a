"""Which questions the golden signals are. Pure.

Source: Beyer et al., Site Reliability Engineering (2016), chapter 6: the four golden signals.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from steerway.platform.web.charts import Chart, Query, Threshold, quoted

WINDOW: Final = "[$__rate_interval]"
# A server error, or no answer at all. Source: OpenTelemetry HTTP semantic conventions.
FAILED: Final = 'code=~"5..|0"'
ROUTER: Final = 5  # seconds: it is looked at more often than that, and a rate wants some requests
SHARES: Final = (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"))


@dataclass(frozen=True, slots=True)
class Place:
    """A service in an environment, and the most that one replica of it may use, if bounded."""

    service: str
    environment: str
    memory_bytes: int | None = None
    cpus: float | None = None

    @property
    def selector(self) -> str:
        """The labels of what belongs to it."""
        return f"service={quoted(self.service)},environment={quoted(self.environment)}"


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment at which something changed, with the page about it."""

    at: datetime
    label: str
    url: str
    tone: str
    service: str
    environment: str


def charts(place: Place) -> list[Chart]:
    """The golden signals of a service in an environment, by version."""
    return [_traffic(place), _errors(place), _latency(place), _tail(place), *saturation(place)]


def _traffic(place: Place) -> Chart:
    rate = f"sum by (version) (rate(router_requests_total{{{place.selector}}}{WINDOW}))"
    shown = Query(rate, "{{version}}")
    return Chart("Traffic", (shown,), "stack", "requests/s", "by version", interval=ROUTER)


def _errors(place: Place) -> Chart:
    """A version without traffic has no share of errors: a gap, not zero."""
    every = f"sum by (version) (rate(router_requests_total{{{place.selector}}}{WINDOW}))"
    failed = f"sum by (version) (rate(router_requests_total{{{place.selector},{FAILED}}}{WINDOW}))"
    share = f"({failed} or 0 * {every}) / ({every} > 0)"
    shown = Query(share, "{{version}}")
    return Chart("Errors", (shown,), "line", "ratio", "share, by version", interval=ROUTER)


def _latency(place: Place) -> Chart:
    return Chart(
        "Latency",
        tuple(Query(_quantile(place, share, "le"), name) for share, name in SHARES),
        "line",
        "seconds",
        "all versions",
        interval=ROUTER,
    )


def _tail(place: Place) -> Chart:
    slow = Query(_quantile(place, "0.95", "le, version"), "{{version}}")
    return Chart("Latency, p95", (slow,), "line", "seconds", "by version", interval=ROUTER)


def _quantile(place: Place, share: str, by: str) -> str:
    buckets = f"router_request_duration_seconds_bucket{{{place.selector}}}"
    return f"histogram_quantile({share}, sum by ({by}) (rate({buckets}{WINDOW})))"


def saturation(place: Place) -> list[Chart]:
    """What each replica uses, beside what it may."""
    cpu = f"rate(process_cpu_seconds_total{{{place.selector}}}{WINDOW})"
    memory = f"process_resident_memory_bytes{{{place.selector}}}"
    legend = "{{version}} replica {{instance|last}}"
    cpus = (Threshold(place.cpus, "bad", "limit"),) if place.cpus else ()
    most = (Threshold(place.memory_bytes, "bad", "limit"),) if place.memory_bytes else ()
    return [
        Chart("CPU", (Query(cpu, legend),), "line", "cores", "by replica", cpus),
        Chart("Memory", (Query(memory, legend),), "line", "bytes", "by replica", most),
    ]
