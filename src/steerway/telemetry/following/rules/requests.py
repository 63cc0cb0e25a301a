"""The router's access log as rows of `requests`, decoded in native code. Pure."""

import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from steerway.telemetry.ingest.rules.tables import SCHEMAS

SCHEMA: Final = SCHEMAS["requests"]
TEXT: Final = pa.string()
COUNT: Final = pa.float64()  # whole numbers too: a fraction where none is expected fails no block
# Columns of the store by the fields of the log. Its `version` is the name that the router has.
FIELDS: Final[Mapping[str, tuple[str, pa.DataType]]] = {
    "ts": ("at", pa.timestamp("ms", "UTC")),
    "service": ("service", TEXT),
    "environment": ("environment", TEXT),
    "version": ("version", TEXT),
    "release": ("release", TEXT),
    "status": ("status", COUNT),
    "method": ("method", TEXT),
    "path": ("path", TEXT),
    "duration_ms": ("duration_ms", COUNT),
    "attempts": ("attempts", COUNT),
    "flags": ("flags", TEXT),
    "client": ("client", TEXT),
    "request_id": ("request_id", TEXT),
    "trace_id": ("trace_id", TEXT),
    "bytes_in": ("received_bytes", COUNT),
    "bytes_out": ("sent_bytes", COUNT),
}
TRACEPARENT: Final = "traceparent"
LOG: Final = pa.schema([*FIELDS.values(), (TRACEPARENT, TEXT)])
VALID_PARENT: Final = r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
WHOLE_MAX: Final = 2**53  # the largest number up to which a fraction holds every whole one
NO_TRACE: Final = "0" * 32


def whole(data: bytes) -> bytes:
    """The lines that have their end."""
    return data[: data.rfind(b"\n") + 1]


def requests(lines: bytes, versions: Mapping[str, str]) -> pa.Table:
    """Rows of whole lines. Lines that are no access log are left out; count the difference.

    `versions` says by the router's name for a version what people call it.
    """
    if not lines.strip():
        return SCHEMA.empty_table()
    try:
        found = _decoded(lines)
    except pa.ArrowException:
        found = _decoded(_readable(lines))
    found = found.filter(pc.is_valid(found["at"]))
    columns = {name: found[field] for name, (field, _) in FIELDS.items()}
    columns["trace_id"] = _traces(found)
    columns["version"] = _named(columns["version"], versions)
    filled = [_filled(columns[field.name], field.type) for field in SCHEMA]
    return pa.table(filled, schema=SCHEMA)


def keys(rows: pa.Table) -> pa.ChunkedArray:
    """What tells requests apart: the id that the router gave, or all there is for want of one."""
    parts = (rows["ts"].cast(pa.int64()), rows["client"], rows["path"], rows["status"])
    together = pc.binary_join_element_wise(*(part.cast(TEXT) for part in parts), "|")
    return pc.if_else(pc.equal(rows["request_id"], ""), together, rows["request_id"])


def span(rows: pa.Table) -> tuple[datetime, datetime]:
    """The moments of the first and the last of at least one request."""
    found = pc.min_max(rows["ts"]).as_py()
    return found["min"], found["max"]


def without(rows: pa.Table, known: pa.ChunkedArray) -> pa.Table:
    """The rows that are not among the known keys."""
    return rows.filter(pc.invert(pc.is_in(keys(rows), known)))


def _decoded(lines: bytes) -> pa.Table:
    return pj.read_json(
        io.BytesIO(lines),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pj.ParseOptions(explicit_schema=LOG, unexpected_field_behavior="ignore"),
    )


def _readable(lines: bytes) -> bytes:
    """The lines that are what they should be, one by one: slow, and only after the fast way."""
    kept = [b"{}"]
    for line in lines.splitlines():
        try:
            json.loads(line)
            _decoded(line + b"\n")
        except (ValueError, RecursionError, pa.ArrowException):
            continue
        kept.append(line)
    return b"\n".join(kept) + b"\n"


def _traces(found: pa.Table) -> pa.ChunkedArray:
    """The trace that the router knows, or the one that the client said it belongs to."""
    parent = found[TRACEPARENT]
    said = pc.utf8_slice_codeunits(parent, 3, 35)
    is_good = pc.and_(pc.match_substring_regex(parent, VALID_PARENT), pc.not_equal(said, NO_TRACE))
    return pc.coalesce(
        found["trace_id"], pc.if_else(pc.fill_null(is_good, fill_value=False), said, "")
    )


def _named(found: pa.ChunkedArray, versions: Mapping[str, str]) -> pa.Array:
    encoded = found.combine_chunks().dictionary_encode()
    named = [versions.get(name, name) for name in encoded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(named, TEXT)).cast(TEXT)


def _filled(column: pa.ChunkedArray | pa.Array, kind: pa.DataType) -> pa.Array:
    """The column in the store's type, with nothing where nothing was said."""
    if pa.types.is_timestamp(kind):
        return column.cast(kind)
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        return pc.fill_null(column.cast(TEXT), "").cast(kind)
    numbers = pc.max_element_wise(pc.fill_null(column, 0.0), pa.scalar(0.0))
    if not pa.types.is_integer(kind):
        return numbers.cast(kind)
    most = pa.scalar(float(min(2**kind.bit_width - 1, WHOLE_MAX)))
    return pc.floor(pc.min_element_wise(numbers, most)).cast(kind)
