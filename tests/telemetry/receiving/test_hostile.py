"""Whatever comes, the answer is a refusal or rows, and the next good body is stored."""

import gzip
import json
import zlib

import cramjam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steerway.platform.errors import Invalid
from steerway.telemetry.decoding.errors import BodyInvalid, BodyTooLarge
from steerway.telemetry.receiving.workflows import Receiver
from steerway.telemetry.store import Store
from tests.telemetry.receiving.conftest import NOW_MS, NOW_NS, M, metrics_body, snappy, write_body
from tests.telemetry.receiving.test_logs_and_spans import SPAN, TRACE, logs_body, spans_body
from tests.telemetry.receiving.test_metrics import counter, histogram, point

GOOD = {
    "metrics": metrics_body(counter("orders", point(1.0, a="b")), histogram(0, [1, 2, 3])),
    "logs": logs_body({"time_unix_nano": NOW_NS, "body": {"string_value": "x"}}),
    "spans": spans_body(
        {"trace_id": TRACE, "span_id": SPAN, "start_time_unix_nano": NOW_NS, "name": "s"}
    ),
    "write": write_body(({"__name__": "m", "a": "b"}, [(NOW_MS, 1.0), (NOW_MS + 1, 0.0)])),
}
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "resourceMetrics",
                    "scopeMetrics",
                    "metrics",
                    "resourceLogs",
                    "scopeLogs",
                    "logRecords",
                    "resourceSpans",
                    "gauge",
                    "dataPoints",
                    "asInt",
                    "traceId",
                    "attributes",
                ]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


def send(receiver: Receiver, signal: str, body: bytes, *, is_json: bool = False) -> None:
    """Give a body to the receiver; a refusal is an answer too."""
    try:
        if signal == "write":
            received = receiver.write(body)
        else:
            received = getattr(receiver, signal)(body, "", is_json=is_json)
    except Invalid:
        return
    received.stored.result()


fuzzed = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


@pytest.mark.parametrize("signal", GOOD)
def test_damaged_bodies_harm_nothing(receiver: Receiver, store: Store, signal: str) -> None:
    good = GOOD[signal]

    @fuzzed
    @given(st.data())
    def damage(data: st.DataObject) -> None:
        body = bytearray(good)
        for _ in range(data.draw(st.integers(1, 6))):
            place = data.draw(st.integers(0, len(body) - 1))
            body[place] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(body)))
        send(receiver, signal, bytes(body[:cut]))
        if signal == "write":
            send(receiver, signal, snappy(bytes(body)))

    damage()

    packed = snappy(good) if signal == "write" else good
    send(receiver, signal, packed)
    table = {"metrics": "samples", "write": "samples"}.get(signal, signal)
    assert store.table(f"SELECT count() AS n FROM {table}")["n"][0].as_py() >= 1


@pytest.mark.parametrize("signal", ["metrics", "logs", "spans"])
def test_json_of_wrong_types_harms_nothing(receiver: Receiver, signal: str) -> None:
    @fuzzed
    @given(JSON)
    def send_json(document: object) -> None:
        send(receiver, signal, json.dumps(document).encode(), is_json=True)

    send_json()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_not_unpacked(receiver: Receiver, encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zlib.compress

    with pytest.raises(BodyTooLarge):
        receiver.metrics(pack(bytes(50_000_000)), encoding, is_json=False)


def test_a_bomb_of_snappy_is_not_unpacked(receiver: Receiver) -> None:
    with pytest.raises(BodyTooLarge):
        receiver.write(bytes(cramjam.snappy.compress_raw(bytes(50_000_000))))


def test_packed_bodies_that_are_cut_off_are_refused(receiver: Receiver) -> None:
    packed = gzip.compress(GOOD["metrics"])

    with pytest.raises(BodyInvalid, match="cut off"):
        receiver.metrics(packed[:-4], "gzip", is_json=False)
    with pytest.raises(BodyInvalid):
        receiver.write(snappy(GOOD["write"])[:-4])


@pytest.mark.parametrize("depth", [70, 90_000])
def test_deep_json_is_refused(receiver: Receiver, depth: int) -> None:
    body = b'{"resourceMetrics":' + b"[" * depth + b"]" * depth + b"}"

    with pytest.raises(BodyInvalid):
        receiver.metrics(body, "", is_json=True)


def field(number: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
    return bytes([number << 3 | 2]) + length + content


@pytest.mark.parametrize(("depth", "expected"), [(40, 2), (5_000, 1)])
def test_deep_attributes_are_cut_or_refused(
    receiver: Receiver, store: Store, depth: int, expected: int
) -> None:
    value = b""
    for _ in range(depth):
        value = field(5, field(1, value))  # an array with one element
    attribute = field(7, field(1, b"deep") + field(2, value))
    number = M["Number"](time_unix_nano=NOW_NS, as_double=1.0).SerializeToString() + attribute
    metric = field(1, b"deep") + field(5, field(1, number))
    body = field(1, field(2, field(2, metric)))

    send(receiver, "metrics", body)
    send(receiver, "metrics", metrics_body(counter("orders", point(1.0))))

    assert store.table("SELECT count() AS n FROM samples")["n"][0].as_py() == expected
