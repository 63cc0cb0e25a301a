"""What hosts refuse."""

from steerway.platform.errors import NotFound


class HostUnknown(NotFound):
    """Nothing was ever heard of a host of that name."""

    message = "Nothing was heard of a host {host} in the last {days} days."
