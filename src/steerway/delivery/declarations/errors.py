"""What declarations refuse."""

from steerway.platform.errors import NotFound, Refused


class FlagUnknown(NotFound):
    """The service has no such flag."""

    message = "{service} has no flag {flag}. `steerway flags list {service}` lists them."


class DefinedInFile(Refused):
    """Its definition is the file's business."""

    message = (
        "{flag} is defined in {file}. Change it there and apply; exposures, rollouts and the "
        "switch are decided here."
    )


class RestUnclear(Refused):
    """There is no single place in the rule that a rollout could move."""

    message = (
        "{flag} cannot be rolled out from here: {why}. Let its rule end in one fractional of two "
        "variants, or change the shares in the file."
    )
