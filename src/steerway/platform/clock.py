"""The one place that asks what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, aware, in UTC. Edges ask once and pass it on as `work.now`."""
    return datetime.now(UTC)  # noqa: TID251 -- the one allowed caller
