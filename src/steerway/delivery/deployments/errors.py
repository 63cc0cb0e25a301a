"""What deployments refuse."""

from steerway.platform.errors import Invalid, NotFound, Refused


class DeploymentUnknown(NotFound):
    """No such deployment."""

    message = "There is no deployment {ref}. `steerway deployments` lists them."


class WishUnclear(Invalid):
    """The form does not say what to deploy."""

    message = "{field}: {problem} Fill the form in again."


class Busy(Refused):
    """One at a time."""

    message = (
        "{ref} is deploying {service} to {environment} now. "
        "Wait for it with `steerway watch {ref}`, or stop it with `steerway cancel {ref}`."
    )


class Paused(Refused):
    """Somebody put the brake on."""

    message = "{service} is paused by {by}: {reason}. `steerway resume {service}` goes on."


class NotDark(Refused):
    """It cannot be deployed without being released."""

    message = (
        "{service} is deployed as {strategy}, which moves users at once. Set release.strategy to "
        "canary; then a deployment can wait without a user until somebody releases it."
    )


class NothingBeside(Refused):
    """The first version of all cannot wait beside another."""

    message = (
        "Nothing serves {service} in {environment} yet, so there is nothing beside which a new "
        "version could wait. Deploy it without --dark."
    )


class NothingToRollBack(Refused):
    """There is no other good release."""

    message = (
        "{service} in {environment} has no earlier good release to return to. "
        "Deploy a version that works with `steerway deploy {service} --ref`."
    )


class NeverServed(Refused):
    """The version named has not served here."""

    message = (
        "{release} has not served {service} in {environment} well, or its files are gone. "
        "Versions to return to: {known}."
    )


class TooLate(Refused):
    """Traffic has moved."""

    message = "{ref} has moved traffic already. `steerway rollback {service}` takes it back."


class Ended(Refused):
    """It is over."""

    message = "{ref} has ended: {state}."


class NotUp(Refused):
    """A replica does not come up; `log_tail` is the end of what it printed."""

    message = "{replica} does not come up."
    log_tail = ""


class Unhealthy(NotUp):
    """A replica does not answer as healthy in time."""

    message = "{replica} is not healthy after {seconds:g} s: {reason}"


class Died(NotUp):
    """A replica ends again and again."""

    message = "{replica} ended before it was healthy ({ending}). Its last lines are below."


class Cancelled(Refused):
    """Somebody stopped it."""

    message = "Cancelled by {by}."


class WorseBefore(Refused):
    """It was rolled back before, more than once."""

    message = (
        "{version} was found worse {times} times, last in {ref}: {reason} Deploy something else, "
        "or this once more with --force."
    )


class VariablesMissing(Refused):
    """The environment must set variables and has not."""

    message = (
        "{service} needs {names} in {environment}, and nothing sets it. "
        "Add it under run.environment of that environment, and apply."
    )


class TooLittleSpace(Refused):
    """There is no room to work in."""

    message = (
        "Only {free_mb} MB are free for {home}; a deployment needs {needed_mb} MB. "
        "Free some, or lower release.keep."
    )
