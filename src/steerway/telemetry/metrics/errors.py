"""What is not answered."""

from steerway.platform.errors import Invalid, Refused


class RangeInvalid(Invalid):
    """The moments make no sense."""

    message = "{why}"


class QueryTimeout(Refused):
    """It took too long."""

    message = (
        "query timed out in expression evaluation: it took more than {seconds:g} s. "
        "Ask for a shorter range or fewer series, or raise STEERWAY_QUERY_SECONDS."
    )
