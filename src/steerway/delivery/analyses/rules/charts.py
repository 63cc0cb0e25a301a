"""What is drawn of an analysis over time. Pure."""

from dataclasses import dataclass
from typing import Final

from steerway.platform.web.charts import Chart, Query, Threshold, quoted

WINDOW: Final = "[$__rate_interval]"
ROUTER: Final = 5  # seconds between two looks at the router
HEIGHT: Final = 150
TOP: Final = 1.35  # room for the words at the boundary, and for what happened above them


@dataclass(frozen=True, slots=True)
class Pair:
    """A new version and the stable one, where they run."""

    ref: str
    service: str
    environment: str
    new: str
    stable: str


def charts(pair: Pair) -> list[Chart]:
    """The evidence, the proof, errors and latency of both versions."""
    tones = {pair.stable: "old", pair.new: "brand"}
    source = f"/api/deployments/{pair.ref}/analysis"
    return [
        Chart(
            "Evidence that it is worse",
            (),
            "evidence",
            "ratio",
            "on the way to a rollback",
            (Threshold(1.0, "bad", "rolled back from here on"),),
            top=TOP,
            height=HEIGHT,
            tones={"All together": "ink"},
            source=source,
            measure="nearness",
        ),
        Chart(
            "Proof that it is not",
            (),
            "evidence",
            "ratio",
            "on the way to the next step",
            (Threshold(1.0, "good", "the step is earned"),),
            top=TOP,
            height=HEIGHT,
            source=source,
            measure="progress",
        ),
        Chart(
            "Errors",
            (),
            "evidence",
            "ratio",
            "since the step began, hidden ones too",
            height=HEIGHT,
            tones=tones,
            source=source,
            measure="failed",
        ),
        _latency(pair, tones),
    ]


def _latency(pair: Pair, tones: dict[str, str]) -> Chart:
    selector = f"service={quoted(pair.service)},environment={quoted(pair.environment)}"
    buckets = f"router_attempt_duration_seconds_bucket{{{selector}}}"
    slow = f"histogram_quantile(0.95, sum by (le, version) (rate({buckets}{WINDOW})))"
    return Chart(
        "Latency, p95",
        (Query(slow, "{{version}}"),),
        "line",
        "seconds",
        "of every attempt",
        height=HEIGHT,
        interval=ROUTER,
        tones=tones,
    )
