"""What the router counts, in the words of people."""

from collections.abc import Callable, Mapping
from typing import Final

from steerway.telemetry.collectors.rules.kinds import Deployed
from steerway.telemetry.ingest.rules.samples import Series
from steerway.telemetry.scraping.rules.batch import Identify
from steerway.telemetry.scraping.rules.page import Named

MILLISECOND: Final = 0.001
METRICS: Final[Mapping[str, tuple[str, float]]] = {
    "envoy_req_requests": ("router_requests_total", 1),
    "envoy_att_requests": ("router_attempts_total", 1),
    "envoy_req_duration_bucket": ("router_request_duration_seconds_bucket", 1),
    "envoy_req_duration_sum": ("router_request_duration_seconds_sum", MILLISECOND),
    "envoy_req_duration_count": ("router_request_duration_seconds_count", 1),
    "envoy_att_duration_bucket": ("router_attempt_duration_seconds_bucket", 1),
    "envoy_att_duration_sum": ("router_attempt_duration_seconds_sum", MILLISECOND),
    "envoy_att_duration_count": ("router_attempt_duration_seconds_count", 1),
}
KEPT: Final = ("service", "environment", "code", "flags")
NONE: Final = "-"  # what Envoy writes where it has nothing to say


def namer(
    identify: Identify, known: Callable[[str], Deployed | None], own: Mapping[str, str]
) -> Callable[[str, Mapping[str, str]], Named | None]:
    """Names for the lines of Envoy's page; those that are not ours are left out.

    A version that nobody knows keeps the router's own name.
    """

    def name(metric: str, labels: Mapping[str, str]) -> Named | None:
        if metric not in METRICS:
            return None
        ours, factor = METRICS[metric]
        called = labels.get("version", "")
        deployed = known(called) if called not in ("", NONE) else None
        found = {one: labels[one] for one in KEPT if labels.get(one, NONE) != NONE}
        if "le" in labels:
            found["le"] = seconds(labels["le"])
        if called not in ("", NONE):
            found["version"] = deployed.version if deployed else called
            found["deployment"] = deployed.deployment if deployed else ""
        found |= own
        found = {one: value for one, value in found.items() if value}
        return Named(identify(ours, found), Series(ours, found), factor)

    return name


def seconds(milliseconds: str) -> str:
    """The bound of a bucket, as Prometheus writes it."""
    return milliseconds if milliseconds == "+Inf" else f"{float(milliseconds) / 1000:g}"
