"""What flags refuse."""

from steerway.platform.errors import Invalid, NotFound, Refused


class FlagUnknown(NotFound):
    """The service has no such flag."""

    message = "{service} has no flag {flag}. `steerway flags list {service}` lists them."


class FlagTaken(Refused):
    """A flag of that name is there already."""

    message = "{service} has a flag {flag} already, defined in {origin}. Change it there."


class DefinedInFile(Refused):
    """Its definition is the file's business."""

    message = (
        "{flag} is defined in {file}. Change it there and apply; exposures, rollouts and the "
        "switch are decided here."
    )


class VariantUnknown(Invalid):
    """The flag has no such variant."""

    message = "{flag} has no variant {variant}; it has {known}."


class RestUnclear(Refused):
    """There is no single place in the rule that a rollout could move."""

    message = (
        "{flag} cannot be rolled out from here: {why}. Let its rule end in one fractional of two "
        "variants, or change the shares in the file."
    )


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
