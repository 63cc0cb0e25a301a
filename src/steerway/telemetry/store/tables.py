"""The tables of the store, as data.

Deduplication is by the token of an insert alone, so two equal rows are two rows. Moments are
DateTime64 in UTC: a plain DateTime comes out of the engine as a number.

`series` has a row for every insert of a series until parts merge: group by (metric, id), or ask
for its min_ts with min() and max_ts with max(). Whoever writes samples inserts the series again
at least once a day while it lives, with the max_ts of then; what is not, is forgotten.

`logs.body` has a word index: hasAllTokens(body, ['word']), hasAnyTokens and hasToken read only
the blocks that have the word. Words are runs of letters and digits, in lower case, so the needles
must be in lower case. LIKE and match() do not use it: add hasAllTokens for the whole words in them.
`trace_id` of logs, spans and requests has a bloom filter: equality and IN are quick.
"""

from dataclasses import dataclass
from typing import Final

from steerway.telemetry.store.layout import Layout

# Two hours of one metric lie together, series by series: an instant query over many series reads
# a third of what it would with (metric, id, ts).
BLOCK: Final = "toStartOfInterval(ts, INTERVAL 2 HOUR)"
ATTRIBUTES: Final = "Map(LowCardinality(String), String)"
ORIGIN: Final = (
    "service LowCardinality(String), environment LowCardinality(String), "
    "version LowCardinality(String), "
)
# Parts stay small enough to drop the oldest when room is needed, and merges small in memory.
SETTINGS: Final = "max_bytes_to_merge_at_max_space_in_pool = 2147483648, old_parts_lifetime = 60"
# Only of tables that are not replicated; replicated ones remember tokens by themselves.
TOKENS: Final = ", non_replicated_deduplication_window = 1000"


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what its rows are, how they lie, and which signal they belong to."""

    name: str
    signal: str
    columns: str
    order: str
    engine: str = "MergeTree"
    partition: str = "toYYYYMMDD(ts)"
    granularity: int = 8192
    shard: str = "rand()"


SAMPLES: Final = Table(
    "samples",
    "metrics",
    "metric LowCardinality(String), id UInt64 CODEC(ZSTD(1)), "
    "ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), value Float64 CODEC(Delta(8), ZSTD(1))",
    f"(metric, {BLOCK}, id, ts)",
    shard="id",
)
SERIES: Final = Table(
    "series",
    "series",
    "metric LowCardinality(String), id UInt64, "
    "labels SimpleAggregateFunction(any, Map(String, String)), "
    "service SimpleAggregateFunction(any, String), "
    "min_ts SimpleAggregateFunction(min, DateTime64(3, 'UTC')), "
    "max_ts SimpleAggregateFunction(max, DateTime64(3, 'UTC'))",
    "(metric, id)",
    engine="AggregatingMergeTree",
    partition="",
    granularity=1024,
    shard="id",
)
HISTOGRAMS: Final = Table(
    "histograms",
    "metrics",
    "metric LowCardinality(String), id UInt64 CODEC(ZSTD(1)), "
    "ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), schema Int8, "
    "zero_threshold Float64 CODEC(ZSTD(1)), zero_count Float64 CODEC(ZSTD(1)), "
    "count Float64 CODEC(Delta(8), ZSTD(1)), sum Float64 CODEC(Delta(8), ZSTD(1)), "
    "positive_offset Int32, positive Array(Float64) CODEC(ZSTD(1)), "
    "negative_offset Int32, negative Array(Float64) CODEC(ZSTD(1))",
    f"(metric, {BLOCK}, id, ts)",
    shard="id",
)
METADATA: Final = Table(
    "metadata",
    "series",
    "metric LowCardinality(String), type LowCardinality(String), unit String, help String, "
    "seen_at DateTime64(3, 'UTC')",
    "metric",
    engine="ReplacingMergeTree(seen_at)",
    partition="",
    granularity=1024,
    shard="cityHash64(metric)",
)
EXEMPLARS: Final = Table(
    "exemplars",
    "metrics",
    "metric LowCardinality(String), id UInt64, ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)), "
    "value Float64, trace_id String, span_id String, labels Map(String, String)",
    "(metric, id, ts)",
    shard="id",
)
LOGS: Final = Table(
    "logs",
    "logs",
    f"ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)), {ORIGIN}"
    "instance LowCardinality(String), source LowCardinality(String), severity UInt8, "
    f"body String CODEC(ZSTD(1)), attributes {ATTRIBUTES} CODEC(ZSTD(1)), "
    "trace_id String CODEC(ZSTD(1)), span_id String CODEC(ZSTD(1)), "
    "INDEX body_words body TYPE text(tokenizer = 'splitByNonAlpha', preprocessor = lower(body)), "
    "INDEX traces trace_id TYPE bloom_filter(0.01) GRANULARITY 1",
    "(service, ts)",
)
SPANS: Final = Table(
    "spans",
    "traces",
    "ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)), duration_ns UInt64 CODEC(ZSTD(1)), "
    "trace_id String CODEC(ZSTD(1)), span_id String CODEC(ZSTD(1)), "
    f"parent_id String CODEC(ZSTD(1)), {ORIGIN}instance LowCardinality(String), "
    "name LowCardinality(String), kind LowCardinality(String), status LowCardinality(String), "
    f"status_message String CODEC(ZSTD(1)), attributes {ATTRIBUTES} CODEC(ZSTD(1)), "
    f"events Array(Tuple(ts DateTime64(6, 'UTC'), name String, attributes {ATTRIBUTES})), "
    f"links Array(Tuple(trace_id String, span_id String, attributes {ATTRIBUTES})), "
    "INDEX traces trace_id TYPE bloom_filter(0.01) GRANULARITY 1",
    "(service, toStartOfInterval(ts, INTERVAL 10 MINUTE), name, ts)",
    shard="cityHash64(trace_id)",
)
REQUESTS: Final = Table(
    "requests",
    "requests",
    f"ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)), {ORIGIN}release String, status UInt16, "
    "method LowCardinality(String), path String CODEC(ZSTD(1)), "
    "duration_ms Float32 CODEC(ZSTD(1)), attempts UInt8, flags LowCardinality(String), "
    "client String CODEC(ZSTD(1)), request_id String CODEC(ZSTD(1)), "
    "trace_id String CODEC(ZSTD(1)), bytes_in UInt64 CODEC(ZSTD(1)), "
    "bytes_out UInt64 CODEC(ZSTD(1)), INDEX traces trace_id TYPE bloom_filter(0.01) GRANULARITY 1",
    "(service, ts)",
)
# What is left of five minutes of a series. `ts` is where they start. `increase` is what a counter
# rose by from the first sample to the last, resets counted; what lies between two windows is found
# from `last` of one and `first` of the next, so no window depends on another.
SAMPLES_5M: Final = Table(
    "samples_5m",
    "rollups",
    "metric LowCardinality(String), id UInt64 CODEC(ZSTD(1)), "
    "ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), "
    "first_ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), "
    "last_ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), "
    "first Float64 CODEC(Delta(8), ZSTD(1)), last Float64 CODEC(Delta(8), ZSTD(1)), "
    "min Float64 CODEC(Delta(8), ZSTD(1)), max Float64 CODEC(Delta(8), ZSTD(1)), "
    "sum Float64 CODEC(Delta(8), ZSTD(1)), "
    "count UInt32 CODEC(ZSTD(1)), increase Float64 CODEC(Delta(8), ZSTD(1)), "
    "made_at DateTime64(3, 'UTC') CODEC(ZSTD(1))",
    "(metric, toStartOfInterval(ts, INTERVAL 1 DAY), id, ts)",
    engine="ReplacingMergeTree(made_at)",
    partition="toYYYYMM(ts)",
    shard="id",
)
# How far a job that goes forward in time has come.
PROGRESS: Final = Table(
    "progress",
    "store",
    "job String, until DateTime64(3, 'UTC'), noted_at DateTime64(3, 'UTC')",
    "job",
    engine="ReplacingMergeTree(noted_at)",
    partition="",
    shard="1",
)
SCHEMA_STEPS: Final = Table(
    "schema_steps",
    "store",
    "step UInt32, name String, applied_at DateTime64(3, 'UTC')",
    "step",
    partition="",
    shard="1",
)
TABLES: Final = (
    SAMPLES, SERIES, HISTOGRAMS, METADATA, EXEMPLARS, LOGS, SPANS, REQUESTS, SAMPLES_5M, PROGRESS,
)  # fmt: skip


def create(table: Table, layout: Layout) -> list[str]:
    """The statements that make a table unless it is there."""
    partition = f" PARTITION BY {table.partition}" if table.partition else ""
    stored = (
        f"CREATE TABLE IF NOT EXISTS {layout.local(table.name)} ({table.columns}) "
        f"ENGINE = {layout.engine(table.engine)}{partition} ORDER BY {table.order} "
        f"SETTINGS index_granularity = {table.granularity}, {SETTINGS}"
    )
    if not layout.cluster:
        return [stored + TOKENS]
    whole = (
        f"CREATE TABLE IF NOT EXISTS {table.name}{layout.everywhere} "
        f"AS {layout.stored(table.name)} ENGINE = Distributed('{layout.cluster}', "
        f"currentDatabase(), {layout.stored(table.name)}, {table.shard})"
    )
    return [stored, whole]
