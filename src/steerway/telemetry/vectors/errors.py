"""Why an operation on vectors has no answer."""

from steerway.platform.errors import Refused


class Duplicate(Refused):
    """Two series became one."""

    message = "vector cannot contain metrics with the same labelset"


class Unmatched(Refused):
    """Series of two sides do not match as the operator needs."""

    message = "{why}"
