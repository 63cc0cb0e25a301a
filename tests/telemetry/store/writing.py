"""A process that writes, rolls up, says what is stored, and is killed. Then it looks what is there.

Run as `python writing.py HOME TOLD`: TOLD is how many batches an earlier life has told of. It
prints `open` with what it found, then a number for each batch, once the batch is stored.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from steerway.platform.settings import load
from steerway.telemetry import store
from steerway.telemetry.retention.workflows import rollups
from steerway.telemetry.store import Store

BATCH_ROWS = 500
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
FOUND = """
SELECT n, uniqExact(row) AS rows, count() AS copies FROM (
    SELECT toUInt32(attributes['batch']) AS n, attributes['row'] AS row FROM logs
) GROUP BY n ORDER BY n
"""
ROLLED = "SELECT sum(count) AS n, sum(increase) AS s FROM samples_5m FINAL"


def logs(n: int) -> pa.Table:
    """One batch of lines, half of them before midnight: two parts of one insert."""
    start = MIDNIGHT - timedelta(microseconds=BATCH_ROWS // 2)
    moments = [start + timedelta(microseconds=row) for row in range(BATCH_ROWS)]
    marks = [{"batch": str(n), "row": str(row)} for row in range(BATCH_ROWS)]
    return pa.table(
        {
            "ts": pa.array(moments, pa.timestamp("us", "UTC")),
            "service": ["shop"] * BATCH_ROWS,
            "body": [f"line {row} of {n}" for row in range(BATCH_ROWS)],
            "attributes": pa.array(marks, pa.map_(pa.string(), pa.string())),
        }
    )


def samples(n: int) -> pa.Table:
    """Five minutes of ten counters, a sample a second."""
    start = MIDNIGHT + n * timedelta(minutes=5)
    rows = [(id_, second) for id_ in range(10) for second in range(300)]
    moments = [start + timedelta(seconds=second) for _, second in rows]
    return pa.table(
        {
            "metric": ["requests_total"] * len(rows),
            "id": pa.array([id_ for id_, _ in rows], pa.uint64()),
            "ts": pa.array(moments, pa.timestamp("ms", "UTC")),
            "value": pa.array([float(n * 300 + second) for _, second in rows]),
        }
    )


def found(opened: Store) -> list[list[int]]:
    """Batch, rows, and copies of rows, of every batch there is."""
    return [list(row.values()) for row in opened.table(FOUND).to_pylist()]


def write(opened: Store, n: int) -> None:
    """What a sender does that is told nothing: the same again, with the same token."""
    opened.insert("logs", logs(n), token=f"logs-{n}")
    opened.insert("samples", samples(n), token=f"samples-{n}")
    rollups.advance(opened, MIDNIGHT + (n + 1) * timedelta(minutes=5) + rollups.LATENESS)


def say(line: str) -> None:
    """Tell whoever reads."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(home: str, told: int) -> None:
    """Look, then write for ever."""
    started = time.monotonic()
    opened = store.open(load({"STEERWAY_HOME": home}))
    seconds = time.monotonic() - started
    rolled = opened.table(ROLLED).to_pylist()[0]
    told_of = {"seconds": seconds, "found": found(opened), "rolled": rolled}
    say(f"open {json.dumps(told_of)}")
    for n in range(told, told + 10_000):
        write(opened, n)
        say(str(n))


if __name__ == "__main__":
    main(str(Path(sys.argv[1])), int(sys.argv[2]))
