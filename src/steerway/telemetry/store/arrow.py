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
        elif field.type in TEXT:
            table = table.set_column(position, field.name, _text(table.column(position)))
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


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column, with bytes that are no UTF-8 replaced: what services write can be anything."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raw = column.cast(pa.binary()).to_pylist()
        texts = [None if one is None else one.decode(errors="replace") for one in raw]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column
