"""A deployment from its request to its end, whatever fails on the way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from dbos import DBOS, SetWorkflowID
from dbos._dbos import _get_dbos_instance
from django.db import OperationalError

from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Step, Strategy, is_settled, itinerary
from steerway.delivery.deployments.workflows import steps, traffic
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.deployments.workflows.rollout import Observer, Rollout
from steerway.delivery.deployments.workflows.sweeping import Sweep
from steerway.delivery.router.errors import RouterDown
from steerway.delivery.runtimes import queries as runtimes
from steerway.platform.work import Work
from tests.delivery.deployments.pretended import Stand, stand

pytestmark = [pytest.mark.django_db]

EXECUTOR, VERSION = "here", "1"


@pytest.fixture
def shop(tmp_path: Path, work: Work) -> Iterator[Stand]:
    """A shop that serves v1."""
    for one in stand(tmp_path, work):
        one.declare()
        one.serve("v1")
        yield one


@pytest.fixture
def rollout(shop: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rollout]:
    """The workflow on a stand, where every release is built, and room is never short."""

    def build(ground: Ground, deployment: Deployment, wave: int) -> str:
        release = shop.release(deployment.service, deployment.ref_asked)
        actions.take_release(ground.work(), deployment, release)
        return ""

    ready = {Step.PREFLIGHT: _nothing, Step.BUILD: build, Step.INSTALL: _nothing}
    monkeypatch.setattr(steps, "TAKE", {**steps.TAKE, **ready})
    monkeypatch.setattr(steps, "tidy", lambda ground, deployment: None)
    DBOS(
        config={
            "name": "test",
            "system_database_url": f"sqlite:///{tmp_path}/workflows.db",
            "log_level": "CRITICAL",
            "console_log_level": "CRITICAL",
            "application_version": VERSION,
            "executor_id": EXECUTOR,
        }
    )
    made = _rollout()
    made.ground = shop.ground
    made.fallen.clear()
    DBOS.launch()
    yield made
    DBOS.destroy()


@cache
def _rollout() -> Rollout:
    """The engine takes an instance of this name once in a process."""
    return Rollout(cast("Ground", None), lambda _id, _what: None)


@pytest.fixture
def sweep(rollout: Rollout) -> Sweep:
    """The sweep of the server that the engine runs on."""
    return Sweep(rollout, EXECUTOR, VERSION)


class EngineWrites:
    """Whether the engine may write down what has happened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def fail(self) -> None:
        """As on a full disk."""

        def full(*_: object, **__: object) -> None:
            raise OSError("the disk is full")

        database = _get_dbos_instance()._sys_db
        self.monkeypatch.setattr(database, "record_operation_result", full)
        self.monkeypatch.setattr(database, "update_workflow_outcome", full)

    def succeed(self) -> None:
        """There is room again."""
        self.monkeypatch.undo()


@pytest.fixture
def engine_writes() -> Iterator[EngineWrites]:
    """The writes of the engine."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield EngineWrites(monkeypatch)


def break_off_at(point: str) -> Observer:
    """An observer that breaks the workflow off, as a bug would."""

    def observe(_id: str, what: str) -> None:
        if what == point:
            raise RuntimeError(point)

    return observe


def _nothing(ground: Ground, deployment: Deployment, wave: int) -> str:
    return ""


def run(rollout: Rollout, stand: Stand, version: str) -> Deployment:
    """Deploy a version; the deployment at its end."""
    deployment = actions.start(stand.work(), Wish("shop", "production", version))
    with SetWorkflowID(str(deployment.id)):
        rollout.run(str(deployment.id))
    return queries.by_id(deployment.id)


def test_a_router_that_dies_once_the_old_replicas_are_gone_does_not_end_the_new_ones(
    shop: Stand, rollout: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    retire = steps.TAKE[Step.RETIRE]

    def retire_and_fail(ground: Ground, deployment: Deployment, wave: int) -> str:
        retire(ground, deployment, wave)
        raise RouterDown(reason="it was killed", log="router.log")

    monkeypatch.setitem(steps.TAKE, Step.RETIRE, retire_and_fail)

    deployment = run(rollout, shop, "v2")

    assert shop.router.traffic() == {traffic.cluster(deployment): 100}
    assert len(shop.programs.up) == deployment.replica_count
    assert deployment.state == "succeeded"
    assert deployment.serves
    last = deployment.steps.get(name="retire")
    assert (last.state, last.note) == (
        "failed",
        str(RouterDown(reason="it was killed", log="router.log")),
    )


def test_an_old_replica_that_does_not_end_is_no_reason_to_go_back(
    shop: Stand, rollout: Rollout
) -> None:
    old = queries.serving("shop", "production")
    assert old is not None
    shop.programs.undying = {r.program for r in runtimes.of_deployment(old.id)}

    deployment = run(rollout, shop, "v2")

    assert deployment.state == "succeeded"
    assert shop.router.traffic() == {traffic.cluster(deployment): 100}


def test_a_replica_that_does_not_come_up_leaves_what_served_before(
    shop: Stand, rollout: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = queries.serving("shop", "production")
    assert old is not None

    def ill(ground: Ground, deployment: Deployment, wave: int) -> str:
        raise RouterDown(reason="it was killed", log="router.log")

    monkeypatch.setitem(steps.TAKE, Step.VERIFY, ill)

    deployment = run(rollout, shop, "v2")

    assert deployment.state == "failed"
    assert set(shop.programs.up) == {r.program for r in runtimes.of_deployment(old.id)}
    assert shop.router.traffic() == {traffic.cluster(old): 100}


def test_a_database_that_is_locked_for_a_while_takes_nothing_back(
    shop: Stand, rollout: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch, locked = steps.TAKE[Step.SWITCH], iter([True, True])

    def switch_when_it_is_free(ground: Ground, deployment: Deployment, wave: int) -> str:
        note = switch(ground, deployment, wave)
        if next(locked, False):
            raise OperationalError("database is locked")
        return note

    monkeypatch.setitem(steps.TAKE, Step.SWITCH, switch_when_it_is_free)

    deployment = run(rollout, shop, "v2")

    assert (deployment.state, deployment.serves) == ("succeeded", True)


def test_a_deployment_that_has_ended_is_neither_gone_on_with_nor_taken_back(
    shop: Stand, rollout: Rollout
) -> None:
    deployment = shop.serve("v2")

    with SetWorkflowID(str(deployment.id)):
        rollout.run(str(deployment.id))

    assert queries.by_id(deployment.id).serves
    assert shop.router.traffic() == {traffic.cluster(deployment): 100}


def test_a_workflow_that_broke_off_is_taken_back_before_its_deployment_ends(
    shop: Stand, rollout: Rollout, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = queries.serving("shop", "production")
    assert old is not None
    monkeypatch.setattr(rollout, "observe", break_off_at("leave switch"))

    with pytest.raises(RuntimeError, match="leave switch"):
        run(rollout, shop, "v2")
    sweep.bury()

    deployment = queries.newest()[0]
    assert (deployment.state, "ended as error" in deployment.error) == ("failed", True)
    assert shop.router.traffic() == {traffic.cluster(old): 100}
    assert set(shop.programs.up) == {r.program for r in runtimes.of_deployment(old.id)}


def test_a_workflow_that_broke_off_once_the_old_replicas_were_gone_has_succeeded(
    shop: Stand, rollout: Rollout, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "observe", break_off_at("leave retire"))

    with pytest.raises(RuntimeError, match="leave retire"):
        run(rollout, shop, "v2")
    sweep.bury()

    deployment = queries.newest()[0]
    assert deployment.serves
    assert shop.router.traffic() == {traffic.cluster(deployment): 100}


def test_a_deployment_that_cannot_be_taken_back_ends_and_says_both_reasons(
    shop: Stand, rollout: Rollout, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "observe", break_off_at("leave switch"))
    with pytest.raises(RuntimeError, match="leave switch"):
        run(rollout, shop, "v2")
    shop.router.is_down = True

    sweep.bury()

    deployment = queries.newest()[0]
    assert deployment.state == "failed"
    assert "ended as error" in deployment.error
    assert "The router does not answer" in deployment.error


def test_a_workflow_of_another_version_is_not_waited_for(
    shop: Stand, rollout: Rollout, sweep: Sweep, engine_writes: EngineWrites
) -> None:
    engine_writes.fail()
    with pytest.raises(OSError, match="full"):
        run(rollout, shop, "v2")
    engine_writes.succeed()

    replace(sweep, version="2").bury()

    assert queries.newest()[0].state == "failed"


def test_a_workflow_that_fell_over_a_full_disk_is_gone_on_with(
    shop: Stand,
    rollout: Rollout,
    sweep: Sweep,
    engine_writes: EngineWrites,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resumed: list[str] = []
    monkeypatch.setattr(DBOS, "resume_workflow", resumed.append)
    engine_writes.fail()
    with pytest.raises(OSError, match="full"):
        run(rollout, shop, "v2")
    engine_writes.succeed()

    sweep.bury()
    sweep.start()
    sweep.start()

    deployment = queries.newest()[0]
    assert (deployment.state, resumed) == ("running", [str(deployment.id)])


def test_the_engine_forgets_what_ended_long_ago_and_nothing_else(
    shop: Stand, rollout: Rollout, sweep: Sweep, engine_writes: EngineWrites
) -> None:
    ended = str(run(rollout, shop, "v2").id)
    engine_writes.fail()
    with pytest.raises(OSError, match="full"):
        run(rollout, shop, "v3")
    engine_writes.succeed()
    unended = str(queries.newest()[0].id)
    now = datetime.now(UTC)

    soon = sweep.forget(now + timedelta(days=6))
    late = sweep.forget(now + timedelta(days=8))

    assert (soon, late) == (0, 1)
    assert DBOS.get_workflow_status(ended) is None
    assert DBOS.get_workflow_status(unended) is not None


@pytest.mark.parametrize(
    ("strategy", "step", "wave", "settled"),
    [
        (Strategy.BLUE_GREEN, Step.SWITCH, 0, False),
        (Strategy.BLUE_GREEN, Step.DRAIN, 0, True),
        (Strategy.BLUE_GREEN, Step.RETIRE, 0, True),
        (Strategy.ROLLING, Step.DRAIN, 0, False),
        (Strategy.ROLLING, Step.SWITCH, 1, False),
        (Strategy.ROLLING, Step.DRAIN, 1, True),
    ],
)
def test_a_deployment_is_settled_once_all_traffic_has_moved(
    strategy: Strategy, step: Step, wave: int, *, settled: bool
) -> None:
    plan = itinerary(strategy, 2)

    assert is_settled(plan, plan.index((step, wave))) is settled
