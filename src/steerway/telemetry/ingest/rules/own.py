"""What the intake says about itself, as series of Steerway's own."""

from collections.abc import Mapping

import numpy as np

from steerway.telemetry.ingest.rules.samples import Samples, Series
from steerway.telemetry.store import series_id

ROWS, LOST, REFUSED = (
    "steerway_ingest_rows_total",
    "steerway_ingest_lost_rows_total",
    "steerway_ingest_refused_rows_total",
)
WAITING, SERIES = "steerway_ingest_waiting_bytes", "steerway_ingest_series"


def own(
    counts: Mapping[str, int], by_service: Mapping[str, int], waiting_bytes: int, now_ms: int
) -> tuple[Samples, dict[int, Series]]:
    """The samples of now, and the series they are of."""
    rows = [(Series(WAITING, {"job": "steerway"}), waiting_bytes)]
    rows += [(_counter(name), count) for name, count in counts.items()]
    # Not `service`: these are Steerway's series, and count as such.
    rows += [
        (Series(SERIES, {"job": "steerway", "of": service}), count)
        for service, count in by_service.items()
    ]
    series = [one for one, _ in rows]
    ids = [series_id(one.metric, one.labels) for one in series]
    samples = Samples(
        [one.metric for one in series],
        np.array(ids, np.uint64),
        np.full(len(ids), now_ms, np.int64),
        np.array([count for _, count in rows], np.float64),
    )
    return samples, dict(zip(ids, series, strict=True))


def _counter(name: str) -> Series:
    kind, _, table = name.partition(".")
    if kind == "stored":
        return Series(ROWS, {"job": "steerway", "table": table})
    if kind == "lost":
        return Series(LOST, {"job": "steerway"})
    return Series(REFUSED, {"job": "steerway", "reason": name})
