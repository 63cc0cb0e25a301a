"""Spans in the store, as if programs had sent them."""

from datetime import timedelta
from typing import Any

import pyarrow as pa

from steerway.telemetry.ingest.rules.tables import SCHEMAS
from steerway.telemetry.store import Store
from steerway.telemetry.traces.rules.search import TraceFilter, TracePage
from tests.cast import NOON

HOUR = timedelta(hours=1)
NOTHING = timedelta(0)


def span(
    trace: str,
    number: str,
    parent: str = "",
    *,
    start: timedelta = NOTHING,
    duration: timedelta = timedelta(milliseconds=10),
    service: str = "shop",
    name: str = "work",
    kind: str = "internal",
    status: str = "unset",
    **attributes: str,
) -> dict[str, Any]:
    """A row of `spans`."""
    return {
        "ts": NOON + start,
        "duration_ns": round(duration.total_seconds() * 1e9),
        "trace_id": trace.rjust(32, "0"),
        "span_id": number.rjust(16, "0"),
        "parent_id": parent and parent.rjust(16, "0"),
        "service": service, "environment": "production", "version": "v1", "instance": "one",
        "name": name, "kind": kind, "status": status, "status_message": "",
        "attributes": attributes, "events": [], "links": [],
    }  # fmt: skip


def walked(store: Store, *rows: dict[str, Any]) -> None:
    """Store spans."""
    store.insert("spans", pa.Table.from_pylist(list(rows), schema=SCHEMAS["spans"]))


def requested(store: Store, trace: str, **fields: Any) -> None:
    """Store one line of the access log."""
    row = {
        "ts": NOON, "service": "shop", "environment": "production", "version": "v1",
        "release": "r", "status": 200, "method": "GET", "path": "/cart", "duration_ms": 10.0,
        "attempts": 1, "flags": "", "client": "192.0.2.1", "request_id": "q",
        "trace_id": trace.rjust(32, "0"), "bytes_in": 0, "bytes_out": 0, **fields,
    }  # fmt: skip
    store.insert("requests", pa.Table.from_pylist([row], schema=SCHEMAS["requests"]))


def everything(**fields: Any) -> TraceFilter:
    """A filter of the hours around noon."""
    return TraceFilter(since=NOON - HOUR, until=NOON + HOUR, **fields)


def ids(page: TracePage) -> list[str]:
    """The traces of a page, by their short names."""
    return [one.trace_id.lstrip("0") or "0" for one in page.traces]
