"""Metrics of OTLP, decoded to samples and native histograms.

Each data point is one series. Where a point was seen before, its bytes but for time and value
are the same: they are the key of a cache, and time and value are taken out by numpy for all
points of a request at once. Only an unseen point is decoded as a message.
Source: OpenTelemetry protocol 1.x; names and shapes as the OTLP receiver of Prometheus has them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError

from steerway.telemetry.decoding.attributes import Place, labels_of, origin_of, placed
from steerway.telemetry.decoding.columns import Gathered, Names
from steerway.telemetry.decoding.deltas import Deltas
from steerway.telemetry.decoding.errors import BodyInvalid
from steerway.telemetry.decoding.names import bound_text, metric_name
from steerway.telemetry.decoding.natives import of_exponential
from steerway.telemetry.decoding.otlp_found import NO_VALUE, Context, Metrics
from steerway.telemetry.decoding.otlp_histograms import COUNT_BYTES, Row, gather_histograms
from steerway.telemetry.decoding.otlp_points import Points, is_plain, key_of
from steerway.telemetry.decoding.protobuf import COMMON, METRICS, messages
from steerway.telemetry.ingest.rules.limits import Refusals
from steerway.telemetry.ingest.rules.samples import STALE, Series

# The same messages as they are in JSON, where nothing stays bytes.
WHOLE: Final = messages(COMMON + METRICS)["Request"]
RAW: Final = messages(
    COMMON + METRICS,
    raw={
        "ResourceMetrics.resource": "bytes",
        "Gauge.data_points": "*bytes",
        "Sum.data_points": "*bytes",
        "Number.attributes": "*bytes",
        "HistogramPoint.attributes": "*bytes",
        "HistogramPoint.bucket_counts": "bytes",
        "HistogramPoint.explicit_bounds": "bytes",
        "ExponentialPoint.attributes": "*bytes",
        "SummaryPoint.attributes": "*bytes",
    },
)
DELTA: Final = 1
CUMULATIVE: Final = 2
SERIES_CACHED_MAX: Final = 500_000
KINDS: Final = ("gauge", "sum", "histogram", "exponential_histogram", "summary")

# Gives the series' id when its service may have it; 0 when it may not.
Enter = Callable[[Series], int]


class MetricsDecoder:
    """Decodes bodies, and remembers the series it has seen."""

    def __init__(self, enter: Enter, refuse: Callable[[Mapping[str, str], int, Refusals], None]):
        self._enter = enter
        self._refuse = refuse
        self._contexts: dict[tuple[Any, ...], Context] = {}
        self._cached = 0
        self._names = Names()
        self.deltas = Deltas()

    def forget(self) -> None:
        """Look at every series anew."""
        self._contexts.clear()
        self._cached = 0
        self._names = Names()

    def decode(self, body: bytes, place: Place | None = None) -> Metrics:
        """The samples of one request.

        Raises:
            BodyInvalid: it is no request for metrics.
        """
        if self._cached > SERIES_CACHED_MAX:
            self.forget()
        found = Metrics(Gathered(self._names))
        points = Points()
        try:
            request = RAW["Request"].FromString(body)
            for of_resource in request.resource_metrics:
                resource = placed(of_resource.resource, place)
                for of_scope in of_resource.scope_metrics:
                    for metric in of_scope.metrics:
                        self._metric(resource, metric, found, points)
        except DecodeError as error:
            raise BodyInvalid(what="OTLP metrics", reason="it cannot be decoded") from error
        for context, raw in points.gather(found.gathered):
            self._number(context, raw, found)
        self._sum_up(found)
        return found

    def _metric(self, resource: bytes, metric: Any, found: Metrics, points: "Points") -> None:
        kind = next((kind for kind in KINDS if metric.HasField(kind)), "")
        if not kind:
            return
        data = getattr(metric, kind)
        temporality = getattr(data, "aggregation_temporality", CUMULATIVE)
        is_native = kind == "exponential_histogram"
        if temporality not in (DELTA, CUMULATIVE) or (is_native and temporality == DELTA):
            found.refusals.add(
                "temporality",
                len(data.data_points),
                f"{metric.name} is neither cumulative nor a delta that can be added up",
            )
            return
        context = self._context(resource, metric, kind, is_delta=temporality == DELTA)
        found.metadata.setdefault(
            context.name, (_type(kind, data), metric.unit, metric.description)
        )
        if kind in ("gauge", "sum"):
            if context.is_delta:
                for raw in data.data_points:
                    self._number(context, raw, found)
            else:
                points.take(context, data.data_points, found.gathered)
        else:
            getattr(self, f"_{kind}")(context, data.data_points, found)

    def _context(self, resource: bytes, metric: Any, kind: str, *, is_delta: bool) -> Context:
        is_counter = kind == "sum" and metric.sum.is_monotonic
        key = (resource, metric.name, metric.unit, kind, is_counter, is_delta)
        context = self._contexts.get(key)
        if context is None:
            is_gauge = kind == "gauge"
            name = metric_name(metric.name, metric.unit, is_counter=is_counter, is_gauge=is_gauge)
            if not name:
                raise BodyInvalid(what="OTLP metrics", reason="a metric has no name")
            context = self._contexts[key] = Context(name, origin_of(resource), is_delta)
        return context

    def _number(self, context: Context, raw: bytes, found: Metrics) -> None:
        """One point that numpy did not take."""
        point = RAW["Number"].FromString(raw)
        value = point.as_double if point.HasField("as_double") else float(point.as_int)
        if point.flags & NO_VALUE:
            value = STALE
        series = Series(context.name, labels_of(point.attributes, context.origin))
        if context.is_delta:
            found.deltas.append((series, point.time_unix_nano // 1_000_000, value))
            return
        id_ = self._enter(series)
        if not id_:
            self._refuse(series.labels, 1, found.refusals)
            return
        key = key_of(raw)
        if is_plain(key, point.attributes):
            context.ids[key] = id_
            self._cached += 1
        number = found.gathered.number(context.name)
        found.gathered.add([number], [id_], [point.time_unix_nano // 1_000_000], [value])

    def _histogram(self, context: Context, points: Any, found: Metrics) -> None:
        rows: list[Row] = []
        for point in points:
            key = (point.explicit_bounds, *point.attributes)
            ids = context.ids.get(key)
            if ids is None:
                ids = self._histogram_ids(context, point, found)
                if ids is None:
                    continue
                if not context.is_delta:
                    context.ids[key] = ids
                    self._cached += len(ids)
            rows.append((point, ids, len(ids) - 2))
        if rows:
            gather_histograms(context, rows, found)

    def _histogram_ids(self, context: Context, point: Any, found: Metrics) -> Any:
        """The ids of the buckets, of the sum and of the count; None when they are refused."""
        labels = labels_of(point.attributes, context.origin)
        if len(point.explicit_bounds) % COUNT_BYTES or len(point.bucket_counts) % COUNT_BYTES:
            raise BodyInvalid(what="OTLP metrics", reason="buckets are not packed numbers")
        bounds = np.frombuffer(point.explicit_bounds, "<f8").tolist()
        names = [f"{context.name}_bucket"] * (len(bounds) + 1)
        series = [
            Series(name, {**labels, "le": bound_text(bound)})
            for name, bound in zip(names, [*bounds, np.inf], strict=True)
        ]
        series += [Series(f"{context.name}_sum", labels), Series(f"{context.name}_count", labels)]
        if context.is_delta:
            return series
        ids = [self._enter(one) for one in series]
        if not all(ids):
            self._refuse(labels, 1, found.refusals)
            return None
        return np.array(ids, np.uint64)

    def _exponential_histogram(self, context: Context, points: Any, found: Metrics) -> None:
        for point in points:
            series = Series(context.name, labels_of(point.attributes, context.origin))
            id_ = self._enter(series)
            if not id_:
                self._refuse(series.labels, 1, found.refusals)
            elif reason := found.natives.add(context.name, id_, of_exponential(point)):
                found.refusals.add("histogram", 1, reason)

    def _summary(self, context: Context, points: Any, found: Metrics) -> None:
        for point in points:
            labels = labels_of(point.attributes, context.origin)
            rows = [
                (Series(context.name, {**labels, "quantile": bound_text(q.quantile)}), q.value)
                for q in point.quantile_values
            ]
            rows.append((Series(f"{context.name}_sum", labels), point.sum))
            rows.append((Series(f"{context.name}_count", labels), float(point.count)))
            is_over = point.flags & NO_VALUE
            for series, value in rows:
                ts_ms = point.time_unix_nano // 1_000_000
                self._one(series, ts_ms, STALE if is_over else value, found)

    def _one(self, series: Series, ts_ms: int, value: float, found: Metrics) -> None:
        id_ = self._enter(series)
        if id_:
            found.gathered.add([found.gathered.number(series.metric)], [id_], [ts_ms], [value])
        else:
            self._refuse(series.labels, 1, found.refusals)

    def _sum_up(self, found: Metrics) -> None:
        """Turn what came as differences into running sums."""
        for series, ts_ms, value in sorted(found.deltas, key=lambda row: row[1]):
            id_ = self._enter(series)
            total = self.deltas.total(id_, ts_ms, value) if id_ else None
            if total is None:
                self._refuse(series.labels, 1, found.refusals)
            else:
                number = found.gathered.number(series.metric)
                found.gathered.add([number], [id_], [ts_ms], [total])


def _type(kind: str, data: Any) -> str:
    if kind == "sum":
        return "counter" if data.is_monotonic else "gauge"
    return "histogram" if kind == "exponential_histogram" else kind


def metadata_table(found: Mapping[str, tuple[str, str, str]], now_ms: int) -> pa.Table:
    """Rows of `metadata`."""
    return pa.table(
        {
            "metric": pa.array(list(found), pa.string()).dictionary_encode(),
            "type": pa.array([row[0] for row in found.values()], pa.string()).dictionary_encode(),
            "unit": pa.array([row[1] for row in found.values()], pa.string()),
            "help": pa.array([row[2] for row in found.values()], pa.string()),
            "seen_at": pa.array([now_ms] * len(found), pa.timestamp("ms", "UTC")),
        }
    )
