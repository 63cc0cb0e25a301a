"""Finding lines again."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from steerway.telemetry.logs.rules import severity as severities
from steerway.telemetry.logs.rules.conditions import where
from steerway.telemetry.logs.rules.search import (
    PLACE,
    ROWS,
    ROWS_MAX,
    Bar,
    Cursor,
    Facet,
    Filter,
    Histogram,
    Line,
    Page,
    cursor,
    cursor_after,
    step_of,
)
from steerway.telemetry.store import Cancel, Limits, Store

LIMITS: Final = Limits(seconds=20, memory_bytes=400 * 1024 * 1024, rows_max=20_000)
KEY: Final = "cityHash64(service, instance, severity, trace_id, span_id, body)"
SEARCH: Final = """
SELECT ts, service, environment, version, instance, source, severity, body, attributes,
       trace_id, span_id, {key} AS key
FROM logs WHERE {where} ORDER BY ts DESC, key DESC LIMIT {{rows:UInt32}}
"""
FOLLOWING: Final = SEARCH.replace("DESC", "ASC")
AROUND: Final = timedelta(hours=1)
AT_CURSOR: Final = (
    "(ts < {cursor_ts:DateTime64(6)} OR "
    f"(ts = {{cursor_ts:DateTime64(6)}} AND {KEY} <= {{cursor_key:UInt64}}))"
)
HISTOGRAM: Final = """
SELECT toUnixTimestamp(toStartOfInterval(ts, INTERVAL {{step:UInt32}} SECOND)) AS start,
       toUInt8(if(severity = 0, 0, intDiv(severity - 1, 4) * 4 + 1)) AS level, count() AS lines
FROM logs WHERE {where} GROUP BY start, level ORDER BY start
"""
FACETED: Final = ("service", "environment", "version", "instance", "source", "level")
# What is nearly a constant of each replica is counted in one pass; few combinations exist.
FACETS: Final = """
SELECT service, environment, version, instance, source,
       toUInt8(if(severity = 0, 0, intDiv(severity - 1, 4) * 4 + 1)) AS level, count() AS lines
FROM logs WHERE {where} GROUP BY ALL ORDER BY lines DESC LIMIT {{combinations:UInt32}}
"""
COMBINATIONS_MAX: Final = 10_000
# Names of attributes in the newest lines; a name that none of them has is not offered.
ATTRIBUTES: Final = """
SELECT name, value, count() AS lines FROM (
    SELECT arrayJoin(mapKeys(attributes)) AS name, attributes[name] AS value FROM (
        SELECT attributes FROM logs WHERE {where} ORDER BY ts DESC LIMIT {{sample:UInt32}}
    )
) GROUP BY name, value ORDER BY lines DESC LIMIT {{combinations:UInt32}}
"""
SAMPLE: Final = 20_000
VALUES_MAX: Final = 20
ATTRIBUTES_MAX: Final = 30
# The newest lines are looked at first: a page is full after little, and a rare word costs one
# look at everything, whatever the windows are.
WINDOWS: Final = 1024
WINDOW_GROWTH: Final = 16
NEWEST: Final = timedelta(seconds=1)


def search(
    store: Store,
    asked: Filter,
    *,
    after: str = "",
    rows: int = ROWS,
    limits: Limits = LIMITS,
    cancel: Cancel | None = None,
) -> Page:
    """The newest lines that match, or those behind `after`, the `next` of an earlier page.

    Lines that arrive meanwhile never shift a page.

    Raises:
        FilterInvalid: `asked` or `after` cannot be understood.
        QueryTooLarge: it takes more than `limits`.
        Cancelled: `cancel` was used.
        StoreDown: the store does not answer.
    """
    wanted = min(rows, ROWS_MAX)
    behind = cursor(after)
    until = min(asked.until, behind.ts + timedelta(microseconds=1)) if behind else asked.until
    found: list[Line] = []
    for window in windows(asked.between(asked.since, until)):
        missing = wanted + 1 - len(found)
        found += _newest(store, window, behind, rows=missing, limits=limits, cancel=cancel)
        if len(found) > wanted:
            shown = found[:wanted]
            return Page(tuple(shown), cursor_after(shown, behind).written())
    return Page(tuple(found), "")


def windows(asked: Filter) -> Iterator[Filter]:
    """The span of a filter in pieces without gaps, newest and smallest first."""
    width = max(NEWEST, (asked.until - asked.since) / WINDOWS)
    until = asked.until
    while until > asked.since:
        since = max(asked.since, until - width)
        yield asked.between(since, until)
        until, width = since, width * WINDOW_GROWTH


def _newest(
    store: Store,
    asked: Filter,
    behind: Cursor | None,
    *,
    rows: int,
    limits: Limits,
    cancel: Cancel | None,
) -> list[Line]:
    condition, params = where(asked)
    skipped = 0
    if behind is not None and asked.since <= behind.ts < asked.until:
        condition += f" AND {AT_CURSOR}"
        params |= {"cursor_ts": behind.ts, "cursor_key": behind.key}
        skipped = behind.shown
    sql = SEARCH.format(where=condition, key=KEY)
    params["rows"] = rows + skipped
    table = store.table(sql, params, limits=limits, cancel=cancel)
    return [line_of(row) for row in table.to_pylist()][skipped:]


def line_of(row: dict[str, Any]) -> Line:
    """A line from its row."""
    attributes = dict(row["attributes"])
    attributes.pop(PLACE, None)
    return Line(**{**row, "attributes": attributes})


def histogram(
    store: Store, asked: Filter, *, limits: Limits = LIMITS, cancel: Cancel | None = None
) -> Histogram:
    """How many lines match, over time and by severity.

    Raises: as `search`.
    """
    step = step_of(asked.until - asked.since)
    condition, params = where(asked)
    params["step"] = int(step.total_seconds())
    table = store.table(HISTOGRAM.format(where=condition), params, limits=limits, cancel=cancel)
    bars: dict[int, dict[str, int]] = {}
    for row in table.to_pylist():
        counts = bars.setdefault(row["start"], {})
        counts[severities.name(row["level"])] = row["lines"]
    return Histogram(
        step,
        tuple(Bar(datetime.fromtimestamp(at, UTC), counts) for at, counts in bars.items()),
        sum(sum(counts.values()) for counts in bars.values()),
    )


def facets(
    store: Store, asked: Filter, *, limits: Limits = LIMITS, cancel: Cancel | None = None
) -> list[Facet]:
    """The values of each field among the lines that match, and of attributes of the newest.

    Raises: as `search`.
    """
    condition, params = where(asked)
    params |= {"combinations": COMBINATIONS_MAX, "sample": SAMPLE}
    table = store.table(FACETS.format(where=condition), params, limits=limits, cancel=cancel)
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETED}
    for row in table.to_pylist():
        for name in FACETED:
            value = severities.name(row[name]) if name == "level" else row[name]
            counts[name][value] += row["lines"]
    named = store.table(ATTRIBUTES.format(where=condition), params, limits=limits, cancel=cancel)
    return _facets(counts) + _facets(_of_attributes(named.to_pylist()))[:ATTRIBUTES_MAX]


def _of_attributes(rows: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for row in rows:
        if row["name"] == PLACE:
            continue
        found.setdefault(f"attributes.{row['name']}", Counter())[row["value"]] += row["lines"]
    return found


def _facets(counts: dict[str, Counter[str]]) -> list[Facet]:
    return [Facet(name, tuple(c.most_common(VALUES_MAX))) for name, c in counts.items() if c]


def around(store: Store, at: datetime, *, service: str, instance: str, rows: int = 20) -> Page:
    """The lines of one replica before and after a moment, newest first."""
    asked = Filter(since=at - AROUND, until=at, service=service, instance=instance)
    before = search(store, asked, rows=rows).lines
    condition, params = where(asked.between(at, at + AROUND))
    params["rows"] = rows + 1
    table = store.table(FOLLOWING.format(where=condition, key=KEY), params, limits=LIMITS)
    return Page((*map(line_of, reversed(table.to_pylist())), *before), "")
