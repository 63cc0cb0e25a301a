"""One batch on its way into the tables of the store."""

from collections import Counter
from typing import Final

from steerway.telemetry.ingest.queries import news
from steerway.telemetry.ingest.rules.order import in_order
from steerway.telemetry.ingest.rules.tables import LATE
from steerway.telemetry.ingest.workflows.queue import Batch
from steerway.telemetry.store import Store

FIRST: Final = ("series",)
SAMPLES: Final = "samples"
ROWS_MAX: Final = 1_000_000  # of one insert: more waits when the store falls behind


def store(into: Store, batch: Batch, counts: "Counter[str]") -> None:
    """Insert the rows of a batch; doing it again adds only what is missing.

    Each insert has a token made of the batch's segment, by which the store knows it again; without
    a journal there is none, and nothing that outlives the process to do again. Rows
    that may be there from an earlier batch are compared with the store instead. Series come
    first: samples without them could not be found.

    Raises:
        StoreDown: the store does not answer.
    """
    tables = batch.tables()
    for name in sorted(tables, key=lambda name: (name not in FIRST, name.endswith(LATE))):
        rows, table = tables[name], name.removesuffix(LATE)
        is_late = name != table
        if is_late:
            rows = news(into, table, rows)
        for start in range(0, rows.num_rows, ROWS_MAX):
            some = rows.slice(start, ROWS_MAX)
            if name == SAMPLES:
                some = in_order(some)
            has_token = batch.segment and not is_late
            token = f"{batch.segment}-{name}-{start}" if has_token else ""
            into.insert(table, some, token=token)
        counts[f"stored.{table}"] += rows.num_rows
