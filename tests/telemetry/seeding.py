"""Rows for tests, in few words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from steerway.telemetry.store import Store, series_id

MS = pa.timestamp("ms", "UTC")
US = pa.timestamp("us", "UTC")


def at(seconds: float) -> datetime:
    """A moment by its seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def seed_samples(
    store: Store,
    metric: str,
    labels: Mapping[str, str],
    points: Sequence[tuple[float, float]],
) -> int:
    """One series with its (seconds since 1970, value) points; answers its id."""
    number = series_id(metric, labels)
    moments = [round(seconds * 1000) for seconds, _ in points]
    store.insert(
        "series",
        pa.table(
            {
                "metric": [metric],
                "id": pa.array([number], pa.uint64()),
                "labels": pa.array([dict(labels)], pa.map_(pa.string(), pa.string())),
                "service": [labels.get("service", "")],
                "min_ts": pa.array([min(moments)], MS),
                "max_ts": pa.array([max(moments)], MS),
            }
        ),
    )
    store.insert(
        "samples",
        pa.table(
            {
                "metric": [metric] * len(points),
                "id": pa.array([number] * len(points), pa.uint64()),
                "ts": pa.array(moments, MS),
                "value": pa.array([float(value) for _, value in points], pa.float64()),
            }
        ),
    )
    return number


def seed(store: Store, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Rows as dictionaries; moments as aware datetimes, maps as dictionaries."""
    columns: dict[str, pa.Array] = {}
    for name in rows[0]:
        columns[name] = _column([row[name] for row in rows])
    store.insert(table, pa.table(columns))


def _column(values: list[object]) -> pa.Array:
    if isinstance(values[0], dict):
        return pa.array(values, pa.map_(pa.string(), pa.string()))
    if isinstance(values[0], datetime):
        return pa.array(values, US)
    return pa.array(values)
