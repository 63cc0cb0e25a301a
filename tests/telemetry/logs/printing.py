"""Lines in the store, as if programs had printed them."""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from steerway.telemetry.ingest.rules.tables import SCHEMAS
from steerway.telemetry.logs.rules.search import Filter, Page
from steerway.telemetry.store import Store
from tests.cast import NOON

HOUR = timedelta(hours=1)


def printed(
    store: Store,
    texts: list[str],
    *,
    since: datetime = NOON,
    step: timedelta = timedelta(microseconds=1),
    attributes: dict[str, str] | None = None,
    **fields: Any,
) -> None:
    """Store lines of one replica, one every `step`."""
    given = {
        "service": "shop", "environment": "production", "version": "v1", "instance": "shop.0",
        "source": "process", "severity": 9, "trace_id": "", "span_id": "", **fields,
    }  # fmt: skip
    rows = [
        {"ts": since + n * step, "body": text, "attributes": attributes or {}, **given}
        for n, text in enumerate(texts)
    ]
    store.insert("logs", pa.Table.from_pylist(rows, schema=SCHEMAS["logs"]))


def everything(**fields: Any) -> Filter:
    """A filter of the hours around noon."""
    return Filter(since=NOON - HOUR, until=NOON + HOUR, **fields)


def bodies(page: Page) -> list[str]:
    """The texts of a page."""
    return [line.body for line in page.lines]
