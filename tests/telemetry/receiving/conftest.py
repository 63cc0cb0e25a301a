"""A receiver over the test store, and bodies as stock clients write them."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import cramjam
import pytest

from steerway.telemetry.decoding.protobuf import (
    COMMON,
    LOGS,
    METRICS,
    TRACES,
    WRITE,
    messages,
)
from steerway.telemetry.ingest.rules.limits import IngestLimits
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.receiving.workflows import Receiver
from steerway.telemetry.store import Store

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
NOW_NS = NOW_MS * 1_000_000
M, L, T = messages(COMMON + METRICS), messages(COMMON + LOGS), messages(COMMON + TRACES)
W = messages(WRITE)
STALE_BITS = 0x7FF0000000000002
STALE = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]


# Nobody waits a second in a test.
LIMITS = IngestLimits(unpacked_bytes=1_000_000, linger=timedelta(milliseconds=20))


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    made = Intake(lambda: store, now=lambda: NOW, limits=LIMITS)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def receiver(intake: Intake) -> Receiver:
    return Receiver(intake)


def attributes(**pairs: str) -> list[dict[str, Any]]:
    return [
        {"key": key.replace("_", "."), "value": {"string_value": value}}
        for key, value in pairs.items()
    ]


RESOURCE = {
    "attributes": attributes(service_name="shop", service_version="v2", service_instance_id="r1")
}


def metrics_body(*metrics: dict[str, Any]) -> bytes:
    """A request with these metrics of shop."""
    scope = {"metrics": list(metrics)}
    request = M["Request"](resource_metrics=[{"resource": RESOURCE, "scope_metrics": [scope]}])
    return request.SerializeToString()


def write_body(*series: tuple[dict[str, str], list[tuple[int, float]]]) -> bytes:
    """A remote write request, not packed yet."""
    timeseries = [
        {
            "labels": [{"name": name, "value": value} for name, value in sorted(labels.items())],
            "samples": [{"timestamp": ts_ms, "value": value} for ts_ms, value in samples],
        }
        for labels, samples in series
    ]
    return W["Request"](timeseries=timeseries).SerializeToString()


def snappy(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))
