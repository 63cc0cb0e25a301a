"""What ingest refuses."""

from steerway.platform.errors import Invalid, Unavailable


class RowsInvalid(Invalid):
    """Rows do not have the columns of their table."""

    message = "These are no rows of {table}: {reason}"


class QueueFull(Unavailable):
    """More telemetry waits to be stored than may wait."""

    message = "{waiting} bytes of telemetry wait to be stored, the most is {most}. Send it again."


class NotStored(Unavailable):
    """The store did not take a batch; the sender still has it."""

    message = "The telemetry store did not take it ({reason}). Send it again."


class SeriesForgotten(Unavailable):
    """Samples came for series that were silent for so long that they must be described again."""

    message = "{count} series are not known any more. Send it again."
