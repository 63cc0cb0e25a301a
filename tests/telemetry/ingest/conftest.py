"""An intake over the test store, and how to ask it what is there."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from steerway.telemetry.ingest.rules.limits import IngestLimits
from steerway.telemetry.ingest.rules.samples import Samples, Series
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.store import Store, series_id

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    made = Intake(lambda: store, now=lambda: NOW, limits=IngestLimits(series_max=5))
    made.start()
    yield made
    made.stop()


def one(metric: str, labels: dict[str, str], *values: float, at_ms: int = NOW_MS):
    """Samples of one series, a second apart, and its description."""
    id_ = series_id(metric, labels)
    times = at_ms + 1000 * np.arange(len(values), dtype=np.int64)
    ids = np.full(len(values), id_, np.uint64)
    samples = Samples([metric] * len(values), ids, times, np.array(values, np.float64))
    return samples, {id_: Series(metric, labels)}
