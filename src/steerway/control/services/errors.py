"""What the pages of services refuse."""

from steerway.platform.errors import Invalid


class PauseUnexplained(Invalid):
    """A pause needs a reason."""

    message = "A pause needs a reason that others can read. Pause {service} again and say why."
