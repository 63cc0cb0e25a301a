"""What flags refuse."""

from steerway.platform.errors import Invalid, Refused


class VariantUnknown(Invalid):
    """The flag has no such variant."""

    message = "{flag} has no variant {variant}; it has {known}."


class ShareInvalid(Invalid):
    """A share is a percentage."""

    message = "{percent} is no share. Name a percentage from 0 to 100."


class FlagOff(Refused):
    """It was turned off, and somebody should look before more users get it."""

    message = "{flag} is turned off in {environment}: {reason}. Turn it on first."


class FlagIsOn(Refused):
    """It is not turned off."""

    message = "{flag} is not turned off in {environment}."


class NothingOverFile(Refused):
    """The file holds already."""

    message = "Nothing is decided over the definition of {flag} in {environment}."


class FormUnclear(Invalid):
    """A form of a page that says too little."""

    message = "{field}: {problem}"
