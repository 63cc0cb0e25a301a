"""The order of the steps, kept by a workflow that survives restarts."""

import logging
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from dbos import DBOS, DBOSConfiguredInstance

from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.errors import Ended
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Step, Strategy, is_settled, itinerary
from steerway.delivery.deployments.workflows import steps, undoing
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.deployments.workflows.steps import Unchanged
from steerway.platform.db import patiently, reading, unit_of_work
from steerway.platform.errors import SteerwayError

LOGGER = logging.getLogger("steerway.deployments")

GO_ON: Final = ""
UNCHANGED: Final = "unchanged"
FAILED: Final = "failed"

# Called with a deployment's id and "enter build" or "leave build": one line of log a step.
Observer = Callable[[str, str], None]


@DBOS.dbos_class(class_name="Rollout")
class Rollout(DBOSConfiguredInstance):
    """Carries one deployment from its request to its end."""

    def __init__(self, ground: Ground, observe: Observer) -> None:
        self.ground = ground
        self.observe = observe
        # Whose workflow broke off without an end, because the engine could not write it down.
        self.fallen: set[str] = set()
        super().__init__("rollout")

    @DBOS.workflow(name="deployment")
    def run(self, deployment_id: str) -> str:
        """Take every step; on the first that fails, undo what was started.

        Once all traffic has moved there is no way back: what fails then is noted, and what it
        leaves behind is cleared away by reconciliation.

        Survives restarts: a step that finished is not taken again. A step cut short is, so
        every step sets and none adds. The record ends once, whatever is repeated.
        """
        with ExitStack() as stack:
            stack.callback(self.fallen.add, deployment_id)
            ending = self._run(deployment_id)
            stack.pop_all()
        return ending

    def _run(self, deployment_id: str) -> str:
        problem = ""
        plan = patiently(lambda: self._itinerary(deployment_id))
        for position, (step, wave) in enumerate(plan):
            verdict = self.take(deployment_id, step.value, wave)
            if verdict == UNCHANGED:
                self.conclude(deployment_id, unchanged=True)
                return UNCHANGED
            if verdict != GO_ON and not is_settled(plan, position):
                self.undo(deployment_id, *verdict.split("\0", 1))
                return FAILED
            problem = verdict.partition("\0")[0] or problem
        self.conclude(deployment_id, unchanged=False, problem=problem)
        return GO_ON

    @DBOS.step(name="take")
    def take(self, deployment_id: str, name: str, wave: int) -> str:
        """One step: nothing to say, `unchanged`, or an error and log lines parted by NUL."""
        self.observe(deployment_id, f"enter {name}")
        try:
            patiently(lambda: self._take(deployment_id, Step(name), wave))
        except Unchanged:
            return UNCHANGED
        except SteerwayError as error:
            return f"{error}\0{_last_lines(error)}"
        except Exception as error:  # the worker's outermost loop
            LOGGER.exception("deployment %s failed in %s", deployment_id, name)
            last = traceback.extract_tb(error.__traceback__)[-1]
            return f"Steerway failed in {name}: {error!r} ({last.name}). Please report it.\0"
        self.observe(deployment_id, f"leave {name}")
        return GO_ON

    @DBOS.step(name="undo", retries_allowed=True, max_attempts=10, interval_seconds=0.5)
    def undo(self, deployment_id: str, error: str, log_tail: str) -> None:
        """Take back what was started, then end the record."""
        self.observe(deployment_id, "enter undo")
        with unit_of_work():
            deployment = queries.by_id(deployment_id)
            actions.note_error(self.ground.work(), deployment, error=error, log_tail=log_tail)
        if not deployment.is_running:
            return
        undoing.undo(self.ground, deployment)
        with unit_of_work():
            actions.fail(self.ground.work(), deployment, error=error, log_tail=log_tail)
        self.observe(deployment_id, "leave undo")

    @DBOS.step(name="conclude", retries_allowed=True, max_attempts=10, interval_seconds=0.5)
    def conclude(self, deployment_id: str, *, unchanged: bool, problem: str = "") -> None:
        """End the record well, and remove releases that are no longer needed."""
        self.observe(deployment_id, "enter conclude")
        with unit_of_work():
            deployment = queries.by_id(deployment_id)
            work = self.ground.work()
            actions.finish(work, deployment, unchanged=unchanged, problem=problem)
        steps.tidy(self.ground, deployment)
        self.observe(deployment_id, "leave conclude")

    def bury(self, deployment: Deployment, why: str) -> None:
        """End a deployment whose workflow cannot, back to what served before if that is there.

        Whatever else it leaves behind is cleared away by reconciliation, or by the next one.
        """
        error = deployment.error or f"Its workflow {why}; see the server's log."
        self.fallen.discard(str(deployment.id))
        if queries.is_settled(deployment):
            with unit_of_work():
                actions.finish(self.ground.work(), deployment, problem=error)
            return
        try:
            undoing.undo(self.ground, deployment)
        except SteerwayError as trouble:
            error = f"{error} Taking it back failed as well: {trouble}"
        with unit_of_work():
            actions.fail(self.ground.work(), deployment, error=error)

    def _itinerary(self, deployment_id: str) -> list[tuple[Step, int]]:
        """The steps, from what never changes in the record."""
        with reading():
            deployment = queries.by_id(deployment_id)
        return itinerary(Strategy(deployment.strategy), deployment.replica_count)

    def _take(self, deployment_id: str, step: Step, wave: int) -> None:
        with unit_of_work():
            deployment = queries.by_id(deployment_id)
            if not deployment.is_running:
                raise Ended(ref=deployment.ref, state=deployment.state)
            actions.enter(self.ground.work(), deployment, step)
        note = steps.TAKE[step](self.ground, deployment, wave)
        with unit_of_work():
            facts = steps.installed(deployment) if step is Step.INSTALL else actions.NOTHING
            actions.leave(self.ground.work(), deployment, step, note=note, facts=facts)


def _last_lines(error: SteerwayError) -> str:
    """What the program or the build said last, for those who must mend it."""
    tail = getattr(error, "log_tail", "")
    lines = error.fields.get("last_lines", ())
    return tail or "\n".join(lines if isinstance(lines, list) else ())
