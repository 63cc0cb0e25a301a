"""Prometheus' remote write: every sample, with its bits."""

import struct

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steerway.telemetry.ingest.rules.limits import Refusals
from steerway.telemetry.receiving.rules.remote_write import WriteDecoder
from steerway.telemetry.receiving.workflows import Receiver
from steerway.telemetry.store import Store, series_id
from tests.telemetry.receiving.conftest import NOW_MS, STALE, STALE_BITS, W, snappy, write_body

# What a label may hold that looks like the samples that follow the labels.
SAMPLE = W["Sample"](value=1.5, timestamp=NOW_MS).SerializeToString()
LOOKALIKE = (b"\x12\x10" + SAMPLE).decode("latin-1")
TEXTS = st.one_of(st.text(max_size=8), st.just(LOOKALIKE), st.just("x" + LOOKALIKE))
TIMES = st.one_of(
    st.integers(NOW_MS - 10**9, NOW_MS + 10**9), st.integers(-(2**63), 2**63 - 1), st.just(0)
)
VALUES = st.one_of(st.just(0.0), st.just(-0.0), st.just(STALE), st.floats(allow_nan=False))
SERIES = st.tuples(
    st.dictionaries(st.sampled_from(["a", "b", "job"]), TEXTS, max_size=3),
    st.lists(st.tuples(TIMES, VALUES), max_size=5),
)


def never(_labels: object, _rows: int, _refusals: Refusals) -> None:
    raise AssertionError("nothing is refused here")


def decoded(decoder: WriteDecoder, body: bytes) -> set[tuple[int, int, int]]:
    samples = decoder.decode(body).gathered.samples()
    bits = samples.values.view(np.uint64)
    return set(zip(samples.ids.tolist(), samples.ts_ms.tolist(), bits.tolist(), strict=True))


def bits_of(value: float) -> int:
    return struct.unpack("<Q", struct.pack("<d", value))[0]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(SERIES, max_size=4), min_size=1, max_size=4))
def test_known_series_are_read_like_unknown_ones(bodies) -> None:
    decoder = WriteDecoder(lambda series: series_id(series.metric, series.labels), never)

    for body in [*bodies, *bodies]:
        named = [({"__name__": "m", **labels}, samples) for labels, samples in body]
        expected = {
            (
                series_id("m", {k: v for k, v in labels.items() if k != "__name__"}),
                ts_ms,
                bits_of(value or 0.0) if value == 0 and bits_of(value) == 0 else bits_of(value),
            )
            for labels, samples in named
            for ts_ms, value in samples
        }
        assert decoded(decoder, write_body(*named)) == expected


def test_the_mark_of_an_end_keeps_its_bits(receiver: Receiver, store: Store) -> None:
    labels = {"__name__": "up", "job": "node", "instance": "h1:9100"}
    first = write_body((labels, [(NOW_MS, 1.0)]))
    second = write_body((labels, [(NOW_MS + 1000, 0.0), (NOW_MS + 2000, STALE)]))

    for body in (first, second):
        receiver.write(snappy(body)).stored.result()

    values = store.table("SELECT value FROM samples ORDER BY ts")["value"].to_numpy()
    assert values[:2].tolist() == [1.0, 0.0]
    assert values.view(np.uint64)[2] == STALE_BITS
    described = store.table("SELECT labels, service FROM series").to_pylist()
    assert described == [{"labels": [("instance", "h1:9100"), ("job", "node")], "service": "node"}]


def test_native_histograms_and_metadata_are_kept(receiver: Receiver, store: Store) -> None:
    histogram = {
        "count_int": 6,
        "sum": 9.0,
        "schema": 3,
        "zero_threshold": 0.001,
        "zero_count_int": 1,
        "positive_spans": [{"offset": -2, "length": 2}, {"offset": 1, "length": 1}],
        "positive_deltas": [1, 1, -1],
        "timestamp": NOW_MS,
    }
    labels = [{"name": "__name__", "value": "latency"}, {"name": "job", "value": "shop"}]
    request = W["Request"](
        timeseries=[{"labels": labels, "histograms": [histogram]}],
        metadata=[{"type": 3, "metric_family_name": "latency", "help": "Time", "unit": "s"}],
    )

    receiver.write(snappy(request.SerializeToString())).stored.result()

    row = store.table("SELECT * FROM histograms").to_pylist()[0]
    assert (row["positive_offset"], row["positive"]) == (-2, [1.0, 2.0, 0.0, 1.0])
    assert (row["count"], row["zero_count"], row["zero_threshold"]) == (6.0, 1.0, 0.001)
    said = store.table("SELECT metric, type, unit, help FROM metadata").to_pylist()
    assert said == [{"metric": "latency", "type": "histogram", "unit": "s", "help": "Time"}]
