"""The columns of the telemetry tables, in Arrow's types."""

from typing import Final

import pyarrow as pa

from steerway.telemetry.ingest.errors import RowsInvalid
from steerway.telemetry.ingest.rules.samples import LABELS, METRIC, MICROSECONDS, MILLISECONDS

# The queue of rows that may be in their table already, beside the one of rows that cannot be.
LATE: Final = ".late"
WORD: Final = pa.dictionary(pa.int32(), pa.string())
FLOATS: Final = pa.list_(pa.float64())
SPAN_EVENTS: Final = pa.list_(
    pa.struct([("ts", MICROSECONDS), ("name", pa.string()), ("attributes", LABELS)])
)
LINKS: Final = pa.list_(
    pa.struct([("trace_id", pa.string()), ("span_id", pa.string()), ("attributes", LABELS)])
)
ORIGIN: Final = [("service", WORD), ("environment", WORD), ("version", WORD)]

SCHEMAS: Final[dict[str, pa.Schema]] = {
    "samples": pa.schema(
        [("metric", METRIC), ("id", pa.uint64()), ("ts", MILLISECONDS), ("value", pa.float64())]
    ),
    "series": pa.schema(
        [
            ("metric", METRIC),
            ("id", pa.uint64()),
            ("labels", LABELS),
            ("service", pa.string()),
            ("min_ts", MILLISECONDS),
            ("max_ts", MILLISECONDS),
        ]
    ),
    "histograms": pa.schema(
        [
            ("metric", METRIC),
            ("id", pa.uint64()),
            ("ts", MILLISECONDS),
            ("schema", pa.int8()),
            ("zero_threshold", pa.float64()),
            ("zero_count", pa.float64()),
            ("count", pa.float64()),
            ("sum", pa.float64()),
            ("positive_offset", pa.int32()),
            ("positive", FLOATS),
            ("negative_offset", pa.int32()),
            ("negative", FLOATS),
        ]
    ),
    "metadata": pa.schema(
        [
            ("metric", METRIC),
            ("type", WORD),
            ("unit", pa.string()),
            ("help", pa.string()),
            ("seen_at", MILLISECONDS),
        ]
    ),
    "exemplars": pa.schema(
        [
            ("metric", METRIC),
            ("id", pa.uint64()),
            ("ts", MILLISECONDS),
            ("value", pa.float64()),
            ("trace_id", pa.string()),
            ("span_id", pa.string()),
            ("labels", LABELS),
        ]
    ),
    "logs": pa.schema(
        [
            ("ts", MICROSECONDS),
            *ORIGIN,
            ("instance", WORD),
            ("source", WORD),
            ("severity", pa.uint8()),
            ("body", pa.string()),
            ("attributes", LABELS),
            ("trace_id", pa.string()),
            ("span_id", pa.string()),
        ]
    ),
    "spans": pa.schema(
        [
            ("ts", MICROSECONDS),
            ("duration_ns", pa.uint64()),
            ("trace_id", pa.string()),
            ("span_id", pa.string()),
            ("parent_id", pa.string()),
            *ORIGIN,
            ("instance", WORD),
            ("name", WORD),
            ("kind", WORD),
            ("status", WORD),
            ("status_message", pa.string()),
            ("attributes", LABELS),
            ("events", SPAN_EVENTS),
            ("links", LINKS),
        ]
    ),
    "requests": pa.schema(
        [
            ("ts", MILLISECONDS),
            *ORIGIN,
            ("release", pa.string()),
            ("status", pa.uint16()),
            ("method", WORD),
            ("path", pa.string()),
            ("duration_ms", pa.float32()),
            ("attempts", pa.uint8()),
            ("flags", WORD),
            ("client", pa.string()),
            ("request_id", pa.string()),
            ("trace_id", pa.string()),
            ("bytes_in", pa.uint64()),
            ("bytes_out", pa.uint64()),
        ]
    ),
}


def fitted(name: str, table: pa.Table) -> pa.Table:
    """The rows with the columns of table `name`, in its types and its order.

    Raises:
        RowsInvalid: a column is missing, unknown, or of a type that cannot become the right one.
    """
    schema = SCHEMAS[name]
    if table.schema.equals(schema):
        return table
    try:
        return table.select(schema.names).cast(schema)
    except (KeyError, ValueError, pa.ArrowException) as error:
        raise RowsInvalid(table=name, reason=error) from error
