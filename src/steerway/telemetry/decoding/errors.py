"""What a door for telemetry refuses."""

from steerway.platform.errors import Invalid, Unavailable


class BodyInvalid(Invalid):
    """A body is not what its door takes."""

    message = "The body is not {what}: {reason}"


class BodyTooLarge(Invalid):
    """A body is larger than one may be, as it came or once it is unpacked."""

    message = "The body is larger than {most} bytes {when}. Send smaller batches."


class FormUnknown(Invalid):
    """A body in a form that this door does not read."""

    message = "{given} is not read here; send {expected}."


class TooMany(Unavailable):
    """More bodies are being received than memory is set aside for."""

    message = "{held} bytes of telemetry are being received, the most is {most}. Send it again."
