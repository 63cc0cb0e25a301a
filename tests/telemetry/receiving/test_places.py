"""What a sender of one place sends is of that place, whatever it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steerway.telemetry.decoding.attributes import origin_of, placed
from steerway.telemetry.decoding.errors import BodyInvalid
from steerway.telemetry.receiving.workflows import Receiver
from steerway.telemetry.store import Store
from tests.telemetry.receiving.conftest import NOW_NS, L, attributes
from tests.telemetry.receiving.test_logs_and_spans import PARENT, SPAN, TRACE, logs_body, spans_body

PLACE = ("till", "production")


def resource(**claims: str) -> bytes:
    """The bytes of a resource that claims to be somebody."""
    made: bytes = L["Resource"](attributes=attributes(**claims)).SerializeToString()
    return made


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"service_name": "shop", "deployment_environment": "testing"},
        {"service_name": "shop", "deployment_environment_name": "testing"},
    ],
)
def test_a_place_is_stronger_than_a_claim(claims: dict[str, str]) -> None:
    origin = origin_of(placed(resource(service_version="v2", **claims), PLACE))

    assert origin.labels == {
        "service": "till", "environment": "production", "version": "v2", "instance": "",
    }  # fmt: skip


@given(st.binary(max_size=200))
def test_no_bytes_get_around_a_place(raw: bytes) -> None:
    try:
        labels = origin_of(placed(raw, PLACE)).labels
    except BodyInvalid:
        return

    assert (labels["service"], labels["environment"]) == PLACE


def test_a_field_that_would_swallow_the_place_is_refused() -> None:
    length = len(placed(b"", PLACE))
    swallows = resource(service_name="shop") + bytes([0x1A, length])

    with pytest.raises(BodyInvalid):
        placed(swallows, PLACE)


def test_lines_and_spans_are_of_the_place(receiver: Receiver, store: Store) -> None:
    line = logs_body({"time_unix_nano": NOW_NS, "body": {"string_value": "sold"}})
    span = {
        "trace_id": TRACE, "span_id": SPAN, "parent_span_id": PARENT, "name": "sell",
        "start_time_unix_nano": NOW_NS, "end_time_unix_nano": NOW_NS + 1,
    }  # fmt: skip

    receiver.logs(line, "", is_json=False, place=PLACE).stored.result()
    receiver.logs(line, "", is_json=False).stored.result()
    receiver.spans(spans_body(span), "", is_json=False, place=PLACE).stored.result()

    # The same bytes of another sender are another message.
    lines = store.table("SELECT service, environment FROM logs ORDER BY service").to_pylist()
    spans = store.table("SELECT service, environment FROM spans").to_pylist()
    assert lines == [
        {"service": "shop", "environment": ""},
        {"service": "till", "environment": "production"},
    ]
    assert spans == [{"service": "till", "environment": "production"}]
