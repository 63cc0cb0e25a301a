"""What traces refuse."""

from steerway.platform.errors import Invalid, NotFound


class TraceUnknown(NotFound):
    """No span of this trace is stored."""

    message = (
        "There is no trace {trace_id}. It may be older than what is kept, or was never sent here."
    )


class TraceFilterInvalid(Invalid):
    """Something asked about traces cannot be understood."""

    message = "{field}: {problem}."
