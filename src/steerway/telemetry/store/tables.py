"""The tables of the store, as data."""

from dataclasses import dataclass
from typing import Final

# Two hours of one metric lie together, series by series: an instant query over many series reads
# a third of what it would with (metric, id, ts).
BLOCK: Final = "toStartOfInterval(ts, INTERVAL 2 HOUR)"
ATTRIBUTES: Final = "Map(LowCardinality(String), String)"
ORIGIN: Final = (
    "service LowCardinality(String), environment LowCardinality(String), "
    "version LowCardinality(String), "
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what its rows are, and how they lie."""

    name: str
    columns: str
    order: str
    engine: str = "MergeTree"
    partition: str = "toYYYYMMDD(ts)"
    settings: str = "index_granularity = 8192, ttl_only_drop_parts = 1"


SAMPLES: Final = Table(
    "samples",
    "metric LowCardinality(String), id UInt64 CODEC(ZSTD(1)), "
    "ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), value Float64 CODEC(Delta(8), ZSTD(1))",
    f"(metric, {BLOCK}, id, ts)",
)
SERIES: Final = Table(
    "series",
    "metric LowCardinality(String), id UInt64, "
    "labels SimpleAggregateFunction(any, Map(String, String)), "
    "service SimpleAggregateFunction(any, String), "
    "min_ts SimpleAggregateFunction(min, DateTime64(3, 'UTC')), "
    "max_ts SimpleAggregateFunction(max, DateTime64(3, 'UTC'))",
    "(metric, id)",
    engine="AggregatingMergeTree",
    partition="",
    settings="index_granularity = 1024",
)
HISTOGRAMS: Final = Table(
    "histograms",
    "metric LowCardinality(String), id UInt64 CODEC(ZSTD(1)), "
    "ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)), schema Int8, "
    "zero_threshold Float64 CODEC(ZSTD(1)), zero_count Float64 CODEC(ZSTD(1)), "
    "count Float64 CODEC(Delta(8), ZSTD(1)), sum Float64 CODEC(Delta(8), ZSTD(1)), "
    "positive_offset Int32, positive Array(Float64) CODEC(ZSTD(1)), "
    "negative_offset Int32, negative Array(Float64) CODEC(ZSTD(1))",
    f"(metric, {BLOCK}, id, ts)",
)
METADATA: Final = Table(
    "metadata",
    "metric LowCardinality(String), type LowCardinality(String), unit String, help String, "
    "seen_at DateTime64(3, 'UTC')",
    "metric",
    engine="ReplacingMergeTree(seen_at)",
    partition="",
    settings="index_granularity = 1024",
)
EXEMPLARS: Final = Table(
    "exemplars",
    "metric LowCardinality(String), id UInt64, ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)), "
    "value Float64, trace_id String, span_id String, labels Map(String, String)",
    "(metric, id, ts)",
)
LOGS: Final = Table(
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
    "ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)), duration_ns UInt64 CODEC(ZSTD(1)), "
    "trace_id String CODEC(ZSTD(1)), span_id String CODEC(ZSTD(1)), "
    f"parent_id String CODEC(ZSTD(1)), {ORIGIN}instance LowCardinality(String), "
    "name LowCardinality(String), kind LowCardinality(String), status LowCardinality(String), "
    f"status_message String CODEC(ZSTD(1)), attributes {ATTRIBUTES} CODEC(ZSTD(1)), "
    f"events Array(Tuple(ts DateTime64(6, 'UTC'), name String, attributes {ATTRIBUTES})), "
    f"links Array(Tuple(trace_id String, span_id String, attributes {ATTRIBUTES})), "
    "INDEX traces trace_id TYPE bloom_filter(0.01) GRANULARITY 1",
    "(service, toStartOfInterval(ts, INTERVAL 10 MINUTE), name, ts)",
)
REQUESTS: Final = Table(
    "requests",
    f"ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)), {ORIGIN}release String, status UInt16, "
    "method LowCardinality(String), path String CODEC(ZSTD(1)), "
    "duration_ms Float32 CODEC(ZSTD(1)), attempts UInt8, flags LowCardinality(String), "
    "client String CODEC(ZSTD(1)), request_id String CODEC(ZSTD(1)), "
    "trace_id String CODEC(ZSTD(1)), bytes_in UInt64 CODEC(ZSTD(1)), "
    "bytes_out UInt64 CODEC(ZSTD(1)), INDEX traces trace_id TYPE bloom_filter(0.01) GRANULARITY 1",
    "(service, ts)",
)
TABLES: Final = (SAMPLES, SERIES, HISTOGRAMS, METADATA, EXEMPLARS, LOGS, SPANS, REQUESTS)


def create(table: Table) -> str:
    """The statement that makes a table unless it is there."""
    partition = f" PARTITION BY {table.partition}" if table.partition else ""
    return (
        f"CREATE TABLE IF NOT EXISTS {table.name} ({table.columns}) ENGINE = {table.engine}"
        f"{partition} ORDER BY {table.order} SETTINGS {table.settings}"
    )
