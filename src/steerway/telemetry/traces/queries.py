"""Finding traces, showing one, and the map of who calls whom."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from steerway.telemetry.store import Cancel, Limits, Store
from steerway.telemetry.traces.errors import TraceUnknown
from steerway.telemetry.traces.rules.conditions import where
from steerway.telemetry.traces.rules.meters import BOUNDS, KEYS_MAX, METRICS, Meters, restored
from steerway.telemetry.traces.rules.search import (
    ROWS,
    ROWS_MAX,
    Edge,
    Node,
    ServiceMap,
    TraceFilter,
    TraceFound,
    TracePage,
    cursor,
    written,
)
from steerway.telemetry.traces.rules.waterfall import ROUTER, Moment, Span, Waterfall, waterfall

LIMITS: Final = Limits(seconds=20, memory_bytes=400 * 1024 * 1024, rows_max=50_000)
SPANS_MAX: Final = 5000  # of one trace
REQUESTS_MAX: Final = 100  # of one trace, through the router
# A trace is looked for this long before and after the span that was found.
TRACE_LENGTH: Final = timedelta(hours=1)
MATCHING: Final = """
SELECT trace_id, max(ts) AS newest_at FROM spans WHERE {where} AND trace_id != ''
GROUP BY trace_id ORDER BY newest_at DESC, trace_id DESC LIMIT {{rows:UInt32}}
"""
AT_CURSOR: Final = (
    "(ts < {cursor_ts:DateTime64(6)} OR "
    "(ts = {cursor_ts:DateTime64(6)} AND trace_id < {cursor_id:String}))"
)
SUMMARIES: Final = """
SELECT trace_id, min(ts) AS starts_at,
       toUInt64(max(toUnixTimestamp64Nano(toDateTime64(ts, 9)) + duration_ns)
           - min(toUnixTimestamp64Nano(toDateTime64(ts, 9)))) AS length_ns,
       argMin(service, (parent_id != '', ts)) AS root_service,
       argMin(name, (parent_id != '', ts)) AS root_name,
       arraySort(groupUniqArray(20)(service)) AS services, count() AS spans,
       countIf(status = 'error') AS errors, maxIf(ts, {where}) AS newest_at
FROM spans WHERE trace_id IN {{ids:Array(String)}}
    AND ts >= {{since_all:DateTime64(6)}} AND ts < {{until_all:DateTime64(6)}}
GROUP BY trace_id
"""
TRACE: Final = """
SELECT span_id, parent_id, ts, duration_ns, service, environment, version, instance, name, kind,
       status, status_message, attributes, events
FROM spans WHERE trace_id = {trace_id:String} ORDER BY ts LIMIT {rows:UInt32}
"""
ROUTED: Final = """
SELECT ts, service, environment, version, status, method, path, duration_ms, attempts, flags,
       request_id
FROM requests WHERE trace_id = {trace_id:String} ORDER BY ts LIMIT {rows:UInt32}
"""
WINDOWS: Final = 64
WINDOW_GROWTH: Final = 16
SERVER_ERROR: Final = 500

PLACE: Final = (
    "ts >= {since:DateTime64(6)} AND ts < {until:DateTime64(6)}"
    " AND ({environment:String} = '' OR environment = {environment:String})"
)
# Joined in memory, so of too many spans only every n-th trace is: each trace whole or not at all.
JOINED_MAX: Final = 1_000_000
KEPT: Final = PLACE + " AND cityHash64(trace_id) % {every:UInt32} = 0"
COUNT: Final = "SELECT count() AS spans FROM spans WHERE {kept}"
EDGES: Final = """
SELECT p.service AS caller, c.service AS callee, toUInt64(count()) AS calls,
       toUInt64(countIf(c.status = 'error')) AS errors,
       toUInt64(quantileTDigest(0.95)(c.duration_ns)) AS p95_ns
FROM (
    SELECT cityHash64(trace_id, parent_id) AS parent, service, status, duration_ns
    FROM spans WHERE {kept} AND kind IN ('server', 'consumer') AND parent_id != ''
) AS c
INNER JOIN (
    SELECT cityHash64(trace_id, span_id) AS span, service FROM spans WHERE {kept}
) AS p ON c.parent = p.span
WHERE p.service != c.service GROUP BY caller, callee ORDER BY calls DESC LIMIT 1000
"""
# A client that calls what sends no spans: its attributes name it.
OUTSIDE: Final = """
SELECT service AS caller, arrayFirst(name -> name != '', [
           attributes['peer.service'], attributes['db.system.name'], attributes['db.system'],
           attributes['messaging.system']
       ]) AS callee,
       if(mapContains(attributes, 'messaging.system'), 'queue', 'database') AS sort,
       toUInt64(count()) AS calls, toUInt64(countIf(status = 'error')) AS errors,
       toUInt64(quantileTDigest(0.95)(duration_ns)) AS p95_ns
FROM spans WHERE {kept} AND kind IN ('client', 'producer') AND callee != ''
GROUP BY caller, callee, sort ORDER BY calls DESC LIMIT 1000
"""
NODES: Final = """
SELECT service AS callee, toUInt64(count()) AS calls,
       toUInt64(countIf(status = 'error')) AS errors,
       toUInt64(quantileTDigest(0.95)(duration_ns)) AS p95_ns
FROM spans WHERE {kept} AND kind IN ('server', 'consumer')
GROUP BY callee ORDER BY calls DESC LIMIT 1000
"""

# By the end of spans: they are sent when they end. One that ran for longer than this is not found.
RAN_MAX: Final = timedelta(hours=1)
CALLS: Final = """
SELECT service, environment, version, name, kind, status, toFloat64(count()) AS calls,
       sum(duration_ns) / 1e9 AS seconds,
       sumForEach(arrayMap(b -> toFloat64(duration_ns <= b * 1e9), {bounds:Array(Float64)}))
           AS buckets
FROM spans
WHERE ts >= {ran:DateTime64(6)} AND ts < {until:DateTime64(6)} AND kind != 'internal'
    AND toUnixTimestamp64Micro(ts) + intDiv(duration_ns, 1000) >= {since_us:Int64}
    AND toUnixTimestamp64Micro(ts) + intDiv(duration_ns, 1000) < {until_us:Int64}
GROUP BY service, environment, version, name, kind, status
ORDER BY calls DESC LIMIT {rows:UInt32}
"""
METERS: Final = """
SELECT metric, labels, value, at FROM (
    SELECT metric, id, argMax(value, ts) AS value, max(ts) AS at FROM samples
    WHERE metric IN {metrics:Array(String)} AND ts >= {since:DateTime64(3)} GROUP BY metric, id
) AS last
INNER JOIN (
    SELECT metric, id, any(labels) AS labels FROM series
    WHERE metric IN {metrics:Array(String)} GROUP BY metric, id
) AS known USING (metric, id)
"""
METERED: Final = timedelta(days=1)


def search(
    store: Store,
    asked: TraceFilter,
    *,
    after: str = "",
    rows: int = ROWS,
    limits: Limits = LIMITS,
    cancel: Cancel | None = None,
) -> TracePage:
    """The newest traces with a span that matches, or those behind `after`.

    Raises:
        TraceFilterInvalid: `after` cannot be understood.
        QueryTooLarge: it takes more than `limits`.
        Cancelled: `cancel` was used.
        StoreDown: the store does not answer.
    """
    wanted = min(rows, ROWS_MAX)
    behind = cursor(after)
    until = min(asked.until, behind[0] + timedelta(microseconds=1)) if behind else asked.until
    found: dict[str, TraceFound] = {}
    for window in _windows(replace(asked, until=until)):
        ids = _matching(store, window, behind, rows=wanted + 1, limits=limits, cancel=cancel)
        new = [trace_id for trace_id in ids if trace_id not in found]
        for one in _summaries(store, asked, new, window, limits=limits, cancel=cancel):
            # A span of a newer page may have an older sibling here.
            if behind is None or (one.newest_at, one.trace_id) < behind:
                found[one.trace_id] = one
        if len(found) > wanted:
            break
    ordered = sorted(found.values(), key=lambda t: (t.newest_at, t.trace_id), reverse=True)
    shown = ordered[:wanted]
    more = len(ordered) > wanted
    return TracePage(tuple(shown), written(shown[-1].newest_at, shown[-1].trace_id) if more else "")


def _windows(asked: TraceFilter) -> Iterator[TraceFilter]:
    """The span of time in pieces without gaps, newest and smallest first."""
    width = max(timedelta(seconds=10), (asked.until - asked.since) / WINDOWS)
    until = asked.until
    while until > asked.since:
        since = max(asked.since, until - width)
        yield replace(asked, since=since, until=until)
        until, width = since, width * WINDOW_GROWTH


def _matching(
    store: Store,
    asked: TraceFilter,
    behind: tuple[datetime, str] | None,
    *,
    rows: int,
    limits: Limits,
    cancel: Cancel | None,
) -> list[str]:
    condition, params = where(asked)
    if behind is not None:
        condition += f" AND {AT_CURSOR}"
        params |= {"cursor_ts": behind[0], "cursor_id": behind[1]}
    # Some of them may have been on an earlier page.
    params["rows"] = rows * 2
    table = store.table(MATCHING.format(where=condition), params, limits=limits, cancel=cancel)
    ids: list[str] = table["trace_id"].to_pylist()
    return ids


def _summaries(
    store: Store,
    asked: TraceFilter,
    ids: list[str],
    window: TraceFilter,
    *,
    limits: Limits,
    cancel: Cancel | None,
) -> list[TraceFound]:
    if not ids:
        return []
    condition, params = where(asked)
    params |= {
        "ids": ids,
        "since_all": window.since - TRACE_LENGTH,
        "until_all": window.until + TRACE_LENGTH,
    }
    sql = SUMMARIES.format(where=condition)
    table = store.table(sql, params, limits=limits, cancel=cancel)
    return [_found(row) for row in table.to_pylist()]


def _found(row: dict[str, Any]) -> TraceFound:
    length = _nanoseconds(row.pop("length_ns"))
    service, name = row.pop("root_service"), row.pop("root_name")
    rest = {**row, "services": tuple(row["services"])}
    return TraceFound(**rest, service=service, name=name, duration=length)


def trace(store: Store, trace_id: str, *, cancel: Cancel | None = None) -> Waterfall:
    """A trace as a waterfall, with the router's part where the access log knows it.

    Raises:
        TraceUnknown: no span of it is stored.
        StoreDown: the store does not answer.
    """
    params: dict[str, object] = {"trace_id": trace_id.lower(), "rows": SPANS_MAX + 1}
    found = store.table(TRACE, params, limits=LIMITS, cancel=cancel).to_pylist()
    params["rows"] = REQUESTS_MAX
    routed = store.table(ROUTED, params, limits=LIMITS, cancel=cancel).to_pylist()
    spans = [_span(row) for row in found[:SPANS_MAX]]
    requests = [_routed(number, row) for number, row in enumerate(routed)]
    if not spans and not requests:
        raise TraceUnknown(trace_id=trace_id)
    return waterfall(trace_id, spans, routed=requests, is_cut=len(found) > SPANS_MAX)


def _span(row: dict[str, Any]) -> Span:
    duration = _nanoseconds(row.pop("duration_ns"))
    moments = tuple(
        Moment(one["ts"], one["name"], dict(one["attributes"])) for one in row.pop("events")
    )
    return Span(**{**row, "attributes": dict(row["attributes"])}, duration=duration, events=moments)


def _routed(number: int, row: dict[str, Any]) -> Span:
    attributes = {
        "http.response.status_code": str(row["status"]),
        "attempts": str(row["attempts"]),
        "flags": row["flags"],
        "request_id": row["request_id"],
    }
    return Span(
        span_id=f"{ROUTER}-{number}",
        parent_id="",
        ts=row["ts"],
        duration=timedelta(milliseconds=row["duration_ms"]),
        service=row["service"],
        environment=row["environment"],
        version=row["version"],
        name=f"{row['method']} {row['path']}",
        kind=ROUTER,
        status="error" if row["status"] >= SERVER_ERROR or not row["status"] else "ok",
        attributes={name: value for name, value in attributes.items() if value},
    )


def service_map(
    store: Store,
    *,
    since: datetime,
    until: datetime,
    environment: str = "",
    cancel: Cancel | None = None,
) -> ServiceMap:
    """Who called whom, how often, how often in vain, and how long the slow ones took.

    Raises:
        QueryTooLarge: there are too many spans even so.
        StoreDown: the store does not answer.
    """
    params: dict[str, object] = {"since": since, "until": until, "environment": environment}
    count = store.table(COUNT.format(kept=PLACE), params, limits=LIMITS, cancel=cancel)
    params["every"] = every = max(1, -(-count["spans"][0].as_py() // JOINED_MAX))
    edges, outside, nodes = (
        store.table(sql.format(kept=KEPT), params, limits=LIMITS, cancel=cancel).to_pylist()
        for sql in (EDGES, OUTSIDE, NODES)
    )
    services = {row["callee"] for row in nodes}
    strangers = [row for row in outside if row["callee"] not in services]
    kinds = {row["callee"]: row.pop("sort") for row in strangers}
    return ServiceMap(
        nodes=(
            *(_node(row["callee"], "service", [row], every) for row in nodes),
            *(_node(name, kind, strangers, every) for name, kind in kinds.items()),
        ),
        edges=tuple(_edge(row, every) for row in [*edges, *strangers]),
        kept_ratio=1 / every,
    )


def _node(name: str, kind: str, rows: list[dict[str, Any]], every: int) -> Node:
    """A node from the calls it answered, of which there are some."""
    own = [row for row in rows if row["callee"] == name]
    return Node(
        name=name,
        kind=kind,
        calls=sum(row["calls"] for row in own) * every,
        errors=sum(row["errors"] for row in own) * every,
        p95=_nanoseconds(max(row["p95_ns"] for row in own)),
    )


def _edge(row: dict[str, Any], every: int) -> Edge:
    return Edge(
        caller=row["caller"],
        callee=row["callee"],
        calls=row["calls"] * every,
        errors=row["errors"] * every,
        p95=_nanoseconds(row["p95_ns"]),
    )


def _nanoseconds(count: int) -> timedelta:
    return timedelta(microseconds=count / 1000)


def calls(store: Store, *, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The calls that ended in a span of time, by what they are counted by.

    Raises:
        StoreDown: the store does not answer.
    """
    params = {
        "ran": since - RAN_MAX, "until": until, "since_us": _micros(since),
        "until_us": _micros(until), "bounds": list(BOUNDS), "rows": KEYS_MAX,
    }  # fmt: skip
    found: list[dict[str, Any]] = store.table(CALLS, params, limits=LIMITS).to_pylist()
    return found


def meters(store: Store, *, now: datetime) -> Meters:
    """The counters made of spans, as their last samples say.

    Raises:
        StoreDown: the store does not answer.
    """
    params = {"metrics": list(METRICS), "since": now - METERED}
    return restored(store.table(METERS, params, limits=LIMITS).to_pylist())


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
