"""Deployments that are recorded and that no workflow carries: begun, taken up again, or ended."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from dbos import DBOS, SetWorkflowID, WorkflowStatus

from steerway.delivery.deployments import queries
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.workflows.rollout import Rollout
from steerway.planning.catalog import queries as catalog
from steerway.platform.db import Remembered, reading

KEPT: Final = timedelta(days=7)
FORGOTTEN_AT_ONCE: Final = 1000
PENDING: Final = "PENDING"
DEAD: Final = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


@dataclass(slots=True)
class Sweep:
    """Looks after the deployments of the services that live on this server.

    `executor` and `version` are what the engine calls this server and the workflows it knows: it
    takes up no other's when it starts.
    """

    rollout: Rollout
    executor: str
    version: str
    _seen: Remembered[list[Deployment]] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self._seen = Remembered(self._running)

    def start(self) -> None:
        """Begin what has no workflow, and go on with one that fell, as over a full disk."""
        for deployment in self._seen():
            key = str(deployment.id)
            status = DBOS.get_workflow_status(key)
            if status is None:
                with SetWorkflowID(key):
                    DBOS.start_workflow(self.rollout.run, key)
            elif status.status == PENDING and key in self.rollout.fallen:
                self._resume(key)

    def bury(self) -> None:
        """End what nobody will ever go on with: its workflow is over, or of another version.

        It may wait for old replicas to be healthy, so it is no part of `start`.
        """
        for deployment in self._running():
            status = DBOS.get_workflow_status(str(deployment.id))
            if status is not None and (why := self._is_dead(status)):
                self.rollout.bury(deployment, why)

    def forget(self, now: datetime) -> int:
        """Delete what the engine keeps of workflows that ended long ago; how many.

        The records and the log say what happened; the engine keeps its own to go on from.
        """
        old = DBOS.list_workflows(
            completed_before=(now - KEPT).isoformat(),
            limit=FORGOTTEN_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if old:
            DBOS.delete_workflows([one.workflow_id for one in old])
        return len(old)

    def _running(self) -> list[Deployment]:
        with reading():
            return queries.running_of(catalog.living_on(self.rollout.ground.node))

    def _resume(self, key: str) -> None:
        self.rollout.fallen.discard(key)  # first, for it may fall again at once
        with ExitStack() as stack:
            stack.callback(self.rollout.fallen.add, key)
            DBOS.resume_workflow(key)
            stack.pop_all()

    def _is_dead(self, status: WorkflowStatus) -> str:
        """Why nobody goes on with it; empty when somebody does."""
        if status.status in DEAD:
            return f"ended as {status.status.lower()}"
        if status.status != PENDING:
            return ""
        if (status.executor_id, status.app_version) == (self.executor, self.version):
            return ""
        return "was begun by another version of Steerway, or before its keys were lost"
