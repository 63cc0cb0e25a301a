"""Where the long-lived processes of an installation are: supervisord and the router.

Apart from `grounds`, because `steerway up` and `down` need no database.
"""

from steerway.delivery.router.adapters.bootstrap import Site
from steerway.delivery.runtimes.adapters.supervisor import Supervisor
from steerway.platform.settings import Settings


def supervisor_of(settings: Settings) -> Supervisor:
    """The supervisord of an installation."""
    return Supervisor(settings.run, settings.log, settings.home / "keys" / "secrets.key")


def site_of(settings: Settings) -> Site:
    """Where the router of an installation lives and listens."""
    return Site(
        run=settings.run,
        log=settings.log,
        address=settings.router_address,
        port=settings.router_port,
    )
