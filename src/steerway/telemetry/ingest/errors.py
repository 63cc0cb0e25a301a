"""What ingest refuses."""

from steerway.platform.errors import Invalid, Refused, Unavailable


class BodyInvalid(Invalid):
    """A body is not what its door takes."""

    message = "The body is not {what}: {reason}"


class BodyTooLarge(Invalid):
    """A body is larger than one may be, as it came or once it is unpacked."""

    message = "The body is larger than {most} bytes {when}. Send smaller batches."


class FormUnknown(Invalid):
    """A body in a form that this door does not read."""

    message = "{given} is not read here; send {expected}."


class QueueFull(Unavailable):
    """More telemetry waits to be stored than may wait."""

    message = "{waiting} bytes of telemetry wait to be stored, the most is {most}. Send it again."


class NotStored(Unavailable):
    """The store did not take a batch; the sender still has it."""

    message = "The telemetry store did not take it ({reason}). Send it again."


class SeriesUnknown(Refused):
    """Samples came with the id of a series that nobody has described."""

    message = "Series {ids} are not described; pass them in `series`."
