"""Answers and batches as Arrow tables, in one shape whichever engine they come from."""

from typing import Final

import pyarrow as pa

from steerway.platform.errors import Invalid

TEXT: Final = (pa.string(), pa.large_string())


class BatchInvalid(Invalid):
    """Rows that cannot be stored."""

    message = "{table}: {why}"


def answer(body: bytes) -> pa.Table:
    """The table in what the engine answered; moments are in UTC, text is text."""
    table = pa.ipc.open_stream(body).read_all() if body else pa.table({})
    for position, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz != "UTC":
            moments = table.column(position).cast(pa.timestamp(field.type.unit, "UTC"))
            table = table.set_column(position, field.name, moments)
        else:
            table = table.set_column(position, field.name, _readable(table.column(position)))
    return table


def stream(table: str, batch: pa.Table) -> bytes:
    """Rows on their way in, as one block.

    Raises:
        BatchInvalid: a text in them is no text.
    """
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        raise BatchInvalid(table=table, why=error) from error
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        for whole in batch.combine_chunks().to_batches():
            writer.write_batch(whole)
    return bytes(sink.getvalue())


def _readable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column, with bytes that are no UTF-8 replaced: what services write can be anything."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        values = [_decoded(one) for one in column.cast(_raw(column.type)).to_pylist()]
        return pa.chunked_array([pa.array(values, column.type)])
    return column


def _raw(kind: pa.DataType) -> pa.DataType:
    """The type with bytes where it has text."""
    if kind in TEXT:
        return pa.binary()
    if pa.types.is_map(kind):
        return pa.map_(_raw(kind.key_type), _raw(kind.item_type))
    if pa.types.is_list(kind):
        return pa.list_(_raw(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_raw(field.type)) for field in kind])
    return kind


def _decoded(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, dict):
        return {name: _decoded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return tuple(map(_decoded, value)) if isinstance(value, tuple) else value
