"""Spans of OTLP as rows of the table `spans`."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError

from steerway.telemetry.decoding.attributes import Maps, Origin, Place, placed
from steerway.telemetry.decoding.errors import BodyInvalid
from steerway.telemetry.decoding.otlp_rows import (
    Origins,
    extra_of,
    microseconds,
    origin_columns,
    words,
)
from steerway.telemetry.decoding.protobuf import COMMON, TRACES, messages
from steerway.telemetry.ingest.rules.limits import Refusals

# The same messages as they are in JSON, where nothing stays bytes.
WHOLE: Final = messages(COMMON + TRACES)["Request"]
RAW: Final = messages(
    COMMON + TRACES,
    raw={
        "ResourceSpans.resource": "bytes",
        "Span.attributes": "*bytes",
        "SpanEvent.attributes": "*bytes",
        "SpanLink.attributes": "*bytes",
    },
)
KINDS: Final = ("internal", "internal", "server", "client", "producer", "consumer")
STATUSES: Final = ("unset", "ok", "error")
TRACE_ID_BYTES, SPAN_ID_BYTES = 16, 8


class SpansDecoder:
    """Decodes bodies, and remembers attributes and resources it has seen."""

    def __init__(self) -> None:
        self._maps = Maps()
        self._origins = Origins()

    def decode(self, body: bytes, refusals: Refusals, place: Place | None = None) -> pa.Table:
        """The spans of one request; those without a proper id are refused.

        Raises:
            BodyInvalid: it is no request for traces.
        """
        try:
            return self._rows(RAW["Request"].FromString(body), refusals, place)
        except DecodeError as error:
            raise BodyInvalid(what="OTLP traces", reason="it cannot be decoded") from error

    def _rows(self, request: Any, refusals: Refusals, place: Place | None) -> pa.Table:
        spans: list[Any] = []
        origins: list[Origin] = []
        counts: list[int] = []
        extra: list[list[tuple[str, str]]] = []
        for of_resource in request.resource_spans:
            origin = self._origins.of(placed(of_resource.resource, place))
            for of_scope in of_resource.scope_spans:
                good = [span for span in of_scope.spans if _is_named(span)]
                refusals.add("id", len(of_scope.spans) - len(good), "a span has no proper id")
                spans += good
                origins.append(origin)
                counts.append(len(good))
                extra += [extra_of(origin, of_scope.scope)] * len(good)
        return self._table(spans, origin_columns(origins, counts), extra)

    def _table(self, spans: list[Any], labels: Any, extra: list[list[tuple[str, str]]]) -> pa.Table:
        starts = np.array([s.start_time_unix_nano for s in spans], np.uint64)
        ends = np.array([s.end_time_unix_nano for s in spans], np.uint64)
        return pa.table(
            {
                "ts": microseconds(starts),
                "duration_ns": pa.array(np.where(ends > starts, ends - starts, np.uint64(0))),
                "trace_id": pa.array([s.trace_id.hex() for s in spans], pa.string()),
                "span_id": pa.array([s.span_id.hex() for s in spans], pa.string()),
                "parent_id": pa.array([s.parent_span_id.hex() for s in spans], pa.string()),
                **labels,
                "name": words([s.name for s in spans]),
                "kind": words([_word(KINDS, s.kind) for s in spans]),
                "status": words([_word(STATUSES, s.status.code) for s in spans]),
                "status_message": pa.array([s.status.message for s in spans], pa.string()),
                "attributes": self._maps.column([s.attributes for s in spans], extra),
                "events": self._events(spans),
                "links": self._links(spans),
            }
        )

    def _events(self, spans: list[Any]) -> pa.Array:
        events = [event for span in spans for event in span.events]
        times = np.array([event.time_unix_nano for event in events], np.uint64)
        inner = pa.StructArray.from_arrays(
            [
                microseconds(times),
                pa.array([event.name for event in events], pa.string()),
                self._maps.column([event.attributes for event in events]),
            ],
            names=["ts", "name", "attributes"],
        )
        return _lists([len(span.events) for span in spans], inner)

    def _links(self, spans: list[Any]) -> pa.Array:
        links = [link for span in spans for link in span.links]
        inner = pa.StructArray.from_arrays(
            [
                pa.array([link.trace_id.hex() for link in links], pa.string()),
                pa.array([link.span_id.hex() for link in links], pa.string()),
                self._maps.column([link.attributes for link in links]),
            ],
            names=["trace_id", "span_id", "attributes"],
        )
        return _lists([len(span.links) for span in spans], inner)


def _lists(lengths: list[int], inner: pa.Array) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), inner)


def _is_named(span: Any) -> bool:
    return len(span.trace_id) == TRACE_ID_BYTES and len(span.span_id) == SPAN_ID_BYTES


def _word(words_: tuple[str, ...], number: int) -> str:
    return words_[number] if 0 <= number < len(words_) else words_[0]
