"""What the router refuses, and what it says when it is away."""

from steerway.platform.errors import Invalid, Refused, Unavailable


class RouterRefused(Refused):
    """Envoy did not take the new configuration and keeps serving the one before."""

    message = "The router keeps its earlier routes: it refused the new {kind}: {reason}"


class RouterDown(Unavailable):
    """Envoy does not answer on its admin socket."""

    message = "The router does not answer ({reason}). Look at {log}, or run `steerway up`."


class RouterPortTaken(Refused):
    """Somebody else listens on the router's port."""

    message = (
        "Port {port} on {address} is taken by another program. Stop it, or choose another port "
        "for the router with STEERWAY_ROUTER_PORT."
    )


class HomeTooDeep(Invalid):
    """The sockets of the router would have paths longer than the kernel takes."""

    message = (
        "The path {path} is {excess} characters too long for the router's sockets. Set "
        "STEERWAY_HOME to a shorter one."
    )


class HostTaken(Refused):
    """Another service, or the same one in another environment, has the host name."""

    message = (
        "{host} already leads to {owner}. Take it out of `route.hosts` there first, or choose "
        "another name for {service}/{environment}."
    )
