"""What the process runtime refuses, and what can be down."""

from steerway.platform.errors import Invalid, NotFound, Refused, Unavailable


class CommandInvalid(Invalid):
    """A command cannot be made from what the descriptor says."""

    message = "run.command {command!r}: {reason}."


class ProgramUnknown(NotFound):
    """No program of that name was added."""

    message = "There is no program {name}. Add it before it is started."


class NoPortFree(Refused):
    """Every port of the range is taken."""

    message = (
        "No port is free from {first} to {last}. Retire replicas, or widen STEERWAY_REPLICA_PORTS."
    )


class SupervisorDown(Unavailable):
    """supervisord cannot be asked."""

    message = "supervisord does not answer on {socket}: {reason}. See {log}."


class SupervisorRefused(Unavailable):
    """supervisord answered, but with a fault."""

    message = "supervisord refused {call} of {name}: {reason}."


class HomeTooLong(Unavailable):
    """A unix socket cannot be that deep."""

    message = (
        "The socket {socket} has {length} characters; at most {length_max} work. "
        "Choose a shorter STEERWAY_HOME."
    )


class StillRunning(Unavailable):
    """A program's processes could not be ended."""

    message = "{name} still runs as {pids} {seconds:.0f} s after it was killed. Look at the host."


class PrintedElsewhere(Refused):
    """The service runs on another server, which has what it prints."""

    message = "{service} runs on another server ({node}), which has what it prints. Ask there."
