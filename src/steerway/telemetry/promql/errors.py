"""Why a query has no answer."""

from steerway.platform.errors import Invalid, Refused


class QueryInvalid(Invalid):
    """It cannot be read."""

    message = 'invalid parameter "query": {why}'


class QueryFailed(Refused):
    """It can be read, but not computed over these samples."""

    message = "{why}"


class TooManySamples(Refused):
    """It would need more memory than queries may have."""

    message = (
        "query processing would load too many samples into memory in query execution: "
        "more than {most}. Ask for a shorter range, a longer step or fewer series."
    )
