"""A filter of traces as SQL. Whatever comes from outside is bound, never written into it."""

from typing import Final

from steerway.telemetry.logs.rules.conditions import attributes, within
from steerway.telemetry.traces.rules.search import TraceFilter

EQUAL: Final = ("service", "environment", "version", "name", "kind", "status")


def where(asked: TraceFilter) -> tuple[str, dict[str, object]]:
    """The condition on one span of a trace, and what its parameters are."""
    parts, params = within(asked, EQUAL)
    if asked.min_duration:
        parts.append("duration_ns >= {min_duration:UInt64}")
        params["min_duration"] = round(asked.min_duration.total_seconds() * 1e9)
    parts += attributes(asked.attributes, params)
    return " AND ".join(parts), params
