"""A deployment from its request to its end, whatever fails on the way."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from dbos import DBOS, SetWorkflowID

from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Step, Strategy, is_settled, itinerary
from steerway.delivery.deployments.workflows import steps, traffic
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.deployments.workflows.rollout import Rollout
from steerway.delivery.router.errors import RouterDown
from steerway.delivery.runtimes import queries as runtimes
from steerway.platform.work import Work
from tests.delivery.deployments.pretended import Stand, stand

pytestmark = [pytest.mark.django_db]


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
            "log_level": "ERROR",
        }
    )
    made = _rollout()
    made.ground = shop.ground
    DBOS.launch()
    yield made
    DBOS.destroy()


@cache
def _rollout() -> Rollout:
    """The engine takes an instance of this name once in a process."""
    return Rollout(cast("Ground", None), lambda _id, _what: None)


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
