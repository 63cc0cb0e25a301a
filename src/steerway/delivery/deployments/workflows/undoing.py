"""Taking back a deployment that did not come up: traffic first, then its replicas.

Before the switch nothing that users see has changed, and the new replicas go; the router is
not even asked, for it may be what failed. A rolling one may have moved part of the traffic:
the old replicas come back first.
"""

from steerway.delivery.analyses import actions as analyses
from steerway.delivery.analyses import queries as analysed
from steerway.delivery.deployments import queries
from steerway.delivery.deployments.descriptor import ReleaseSection
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.workflows import replicas, traffic
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.router import actions as routes
from steerway.delivery.runtimes import queries as runtimes
from steerway.platform.db import reading, unit_of_work


def undo(ground: Ground, deployment: Deployment) -> None:
    """Have what served before serve alone again, and leave nothing of the new behind."""
    with reading():
        now = queries.by_id(deployment.id)
    if now.switched_at or analysed.of(now.id):
        _give_traffic_back(ground, now)
    with unit_of_work():
        analyses.stop(ground.work(), now.id, reason=now.error or "It was taken back.")
    replicas.retire(ground, now.id)


def _give_traffic_back(ground: Ground, deployment: Deployment) -> None:
    """Have the router send all to what served before; to nowhere when nothing did."""
    with reading():
        previous = queries.by_id(deployment.previous_id) if deployment.previous_id else None
        mine = [r for r in runtimes.of_deployment(deployment.id) if r.retired_at is None]
    if previous is not None:
        if _is_whole(previous):
            # It never stopped: users are back within milliseconds, all else can wait.
            traffic.point(ground, previous, {previous.id: traffic.ALL})
        replicas.revive(ground, previous)
        traffic.point(ground, previous, {previous.id: traffic.ALL})
    else:
        with unit_of_work():
            routes.close(
                ground.work(), service=deployment.service, environment=deployment.environment
            )
    limit = ReleaseSection.stored(deployment.plan["release"]).drain
    traffic.withdraw(ground, mine, limit=limit)


def _is_whole(deployment: Deployment) -> bool:
    """Whether all of its replicas run in the traffic still."""
    with reading():
        found = [r for r in runtimes.of_deployment(deployment.id) if r.retired_at is None]
    return bool(found) and all(r.wanted and r.routed for r in found)
