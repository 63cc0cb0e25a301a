"""What the telemetry store refuses."""

from steerway.platform.errors import Refused, Unavailable


class StoreDown(Unavailable):
    """The store does not answer now."""

    message = "Telemetry is {why}. Try again in a moment."


class StoreBusy(Unavailable):
    """Another process has the embedded store."""

    message = (
        "Telemetry in {path} is in use by another process ({pid}). "
        "Stop that one, or point STEERWAY_CLICKHOUSE_URL to a ClickHouse server for both."
    )


class QueryTooLarge(Refused):
    """A query met one of its limits."""

    message = "The query needs more than its {limit}. Ask for less time or fewer series."


class Cancelled(Refused):
    """Somebody stopped the query."""

    message = "The query was cancelled."

    @classmethod
    def code(cls) -> str:
        """Not that of a deployment that is cancelled."""
        return "query-cancelled"


class QueryFailed(Exception):
    """The engine refused a statement for a reason that is a mistake of ours."""

    def __init__(self, text: str, code: int = 0) -> None:
        self.code = code
        super().__init__(text)
