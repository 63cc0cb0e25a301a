"""Taking back a deployment that did not come up: traffic first, then its replicas.

Before the switch nothing that users see has changed, and the new replicas go. A rolling one
may have moved part of the traffic: the old replicas come back first.
"""

from steerway.delivery.deployments import queries
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.workflows import replicas, traffic
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.runtimes import queries as runtimes
from steerway.platform.db import reading


def undo(ground: Ground, deployment: Deployment) -> None:
    """Have what served before serve alone again, and leave nothing of the new behind."""
    with reading():
        now = queries.by_id(deployment.id)
        previous = queries.by_id(now.previous_id) if now.previous_id else None
    if now.switched_at and previous is not None:
        replicas.revive(ground, previous)
        traffic.point(ground, previous, {previous.id: 100})
    with reading():
        mine = [r for r in runtimes.of_deployment(deployment.id) if r.retired_at is None]
    traffic.withdraw(ground, mine, limit=traffic.NO_WAIT)
    replicas.retire(ground, deployment.id)
    traffic.apply(ground)
