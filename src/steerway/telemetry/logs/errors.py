"""What logs refuse."""

from steerway.platform.errors import Invalid


class FilterInvalid(Invalid):
    """Something asked about lines cannot be understood."""

    message = "{field}: {problem}."
