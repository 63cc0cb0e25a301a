"""The outside systems of an installation, built from its settings: the visible list."""

import os
from collections.abc import Callable

from steerway.app.sites import site_of, supervisor_of
from steerway.delivery.builds.adapters.builder import Builder
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.releases.adapters.store import Store
from steerway.delivery.repositories.adapters.git import Git
from steerway.delivery.router.adapters.envoy import Envoy
from steerway.platform.keys import node_of
from steerway.platform.settings import Settings
from steerway.platform.work import Work


def ground_of(settings: Settings, work: Callable[[], Work]) -> Ground:
    """What deployments and reconciliation stand on."""
    # Git and builds take from it what reaches repositories and indexes, and nothing else.
    host = dict(os.environ)  # noqa: TID251
    return Ground(
        home=settings.home,
        replica_ports=settings.replica_ports,
        git=Git(settings.home, host=host),
        builder=Builder(settings.home, host=host),
        store=Store(settings.home),
        supervisor=supervisor_of(settings),
        envoy=Envoy(site_of(settings)),
        work=work,
        telemetry=_own_door(settings),
        node=node_of(settings),
    )


def _own_door(settings: Settings) -> str:
    """Where programs on this host reach the server."""
    own = settings.address
    host = "127.0.0.1" if own in ("0.0.0.0", "::", "localhost") else own  # noqa: S104 -- compared
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
