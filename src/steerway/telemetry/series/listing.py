"""What series, labels and values there are, without their samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from steerway.telemetry.promql.parsing import Matcher
from steerway.telemetry.series.index import Ask, Index, Statement
from steerway.telemetry.series.selecting import select
from steerway.telemetry.vectors.labels import NAME, Labels, joined

LIVE: Final = """
SELECT DISTINCT id FROM series WHERE metric IN {metrics:Array(String)} AND id IN (
  SELECT id FROM series WHERE metric IN {metrics:Array(String)} GROUP BY id
  HAVING max(max_ts) >= fromUnixTimestamp64Milli({start:Int64})
     AND min(min_ts) <= fromUnixTimestamp64Milli({end:Int64})
)
"""
BETWEEN: Final = """
max_ts >= fromUnixTimestamp64Milli({start:Int64})
AND min_ts <= fromUnixTimestamp64Milli({end:Int64})
"""
NAMES: Final = f"""
SELECT DISTINCT arrayJoin(mapKeys(labels)) AS found FROM series WHERE {BETWEEN} ORDER BY found
"""  # noqa: S608 -- a constant
METRICS: Final = f"""
SELECT DISTINCT toString(metric) AS found FROM series WHERE {BETWEEN} ORDER BY found
"""  # noqa: S608 -- a constant
VALUES: Final = f"""
SELECT DISTINCT labels[{{name:String}}] AS found FROM series
WHERE {BETWEEN} AND found != '' ORDER BY found
"""  # noqa: S608 -- a constant


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a series had samples, in milliseconds; both ends may lie far out."""

    start: int
    end: int


def series(index: Index, ask: Ask, selectors: Sequence[tuple[Matcher, ...]], span: Span) -> Labels:
    """The labels of all series that any of the selectors selects, each once, in order."""
    index.refresh(ask)
    parts = []
    for matchers in selectors:
        found = select(index, matchers)
        if not len(found.ids):
            continue
        params = {"metrics": list(found.metrics), "start": span.start, "end": span.end}
        live = ask(Statement(LIVE, params))["id"].to_numpy().astype(np.uint64)
        parts.append(found.labels.take(np.isin(found.ids, live)))
    whole = joined(index.symbols, parts)
    _, firsts = whole.groups()
    once = whole.take(firsts)
    return once.take(once.order()) if len(parts) > 1 else once


def names(ask: Ask, span: Span) -> list[str]:
    """The names of all labels."""
    found: list[str] = ask(Statement(NAMES, {"start": span.start, "end": span.end}))[
        "found"
    ].to_pylist()
    return sorted([NAME, *found]) if found or values(ask, NAME, span) else []


def values(ask: Ask, name: str, span: Span) -> list[str]:
    """All values of a label."""
    params = {"name": name, "start": span.start, "end": span.end}
    table = ask(Statement(METRICS if name == NAME else VALUES, params))
    found: list[str] = table["found"].to_pylist()
    return found


def names_of(labels: Labels) -> list[str]:
    """The names of the labels of some series."""
    return sorted(name for name, codes in labels.columns.items() if codes.any())


def values_of(labels: Labels, name: str) -> list[str]:
    """The values that a label has in some series."""
    distinct = np.unique(labels.column(name)).astype(np.int32)
    return sorted(text for text in labels.symbols.decode(distinct) if text)
