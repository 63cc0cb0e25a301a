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
        node=node_of(settings),
    )
