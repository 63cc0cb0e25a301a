"""What coverage refuses."""

from steerway.platform.errors import NotFound


class NotCovered(NotFound):
    """Nothing is known of the service in that environment."""

    message = "There is no service {service} here. `steerway services` lists them."
