"""One look: what is missing is started, one bad program harms no other, what is left over goes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steerway.control.reconciliation.workflows import LOOKS_A_ROUND, Reconciler, upgrade_router
from steerway.delivery.deployments import actions
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Step
from steerway.delivery.router.errors import RouterRefused
from steerway.delivery.runtimes import actions as runtimes
from steerway.delivery.runtimes import queries
from steerway.delivery.runtimes.errors import StillRunning
from steerway.delivery.runtimes.models import Replica
from steerway.planning.catalog import actions as catalog
from steerway.planning.catalog import queries as services
from steerway.platform.work import Work
from tests.delivery.deployments.pretended import Stand, stand

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def shop(tmp_path: Path, work: Work) -> Iterator[Stand]:
    """A shop and a ledger, both serving."""
    for one in stand(tmp_path, work):
        for name in ("ledger", "shop"):
            one.declare(name)
            one.serve("v1", name)
        yield one


@pytest.fixture
def reconciler(shop: Stand, monkeypatch: pytest.MonkeyPatch) -> Reconciler:
    """A reconciler whose router is well."""
    monkeypatch.setattr(Reconciler, "keep_router", lambda self, processes: None)
    return Reconciler(shop.ground)


def replicas_of(service: str) -> list[Replica]:
    """The replicas of a service that are not retired."""
    return queries.live(service)


def test_a_wanted_replica_that_is_missing_is_started(shop: Stand, reconciler: Reconciler) -> None:
    lost = replicas_of("shop")[0]
    shop.programs.remove(lost.program)

    reconciler.look()

    assert lost.program in shop.programs.up


def test_a_program_that_cannot_be_ended_keeps_no_other_from_its_care(
    shop: Stand, reconciler: Reconciler
) -> None:
    undying, (lost, well) = replicas_of("ledger")[0], replicas_of("shop")
    runtimes.rest(shop.work(), [undying])
    shop.programs.undying = {undying.program}
    shop.programs.remove(lost.program)

    with pytest.raises(StillRunning):
        reconciler.look()

    assert lost.program in shop.programs.up
    well.refresh_from_db()
    assert well.seen_at == shop.work().now


def test_a_replica_that_was_retired_since_the_look_began_is_not_started_again(
    shop: Stand, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = replicas_of("shop")
    for replica in gone:
        shop.programs.remove(replica.program)
    processes = shop.programs.processes

    def seen_while_they_are_retired() -> Any:
        runtimes.retire(shop.work(), gone)
        return processes()

    monkeypatch.setattr(Reconciler, "_live", lambda self: gone)
    monkeypatch.setattr(shop.programs, "processes", seen_while_they_are_retired)

    reconciler.look()

    assert not {replica.program for replica in gone} & set(shop.programs.up)


def test_every_paused_service_is_left_alone_however_many_there_are(
    shop: Stand, reconciler: Reconciler
) -> None:
    lost = replicas_of("shop")[0]
    shop.programs.remove(lost.program)
    catalog.pause(shop.work(), services.get("shop"), reason="moving its disk")
    for number in range(50):
        shop.declare(f"other-{number}")
        later = replace(shop.work(), now=shop.work().now.replace(hour=13))
        catalog.pause(later, services.get(f"other-{number}"), reason="the same")

    reconciler.look()

    assert lost.program not in shop.programs.up


def test_what_a_failed_last_step_left_behind_is_ended(shop: Stand, reconciler: Reconciler) -> None:
    left = shop.begin("v2")
    left = shop.take(left, (Step.CONFIGURE, 0), (Step.START, 0))
    actions.fail(shop.work(), left, error="its workflow ended")
    reconciler.looks = LOOKS_A_ROUND - 1

    reconciler.look()

    assert not _live(left)
    assert len(replicas_of("shop")) == len(replicas_of("ledger")) == 2


def test_what_is_being_deployed_is_not_taken_for_left_over(
    shop: Stand, reconciler: Reconciler
) -> None:
    new = shop.take(shop.begin("v2"), (Step.CONFIGURE, 0), (Step.START, 0))
    reconciler.looks = LOOKS_A_ROUND - 1

    reconciler.look()

    assert len(_live(new)) == new.replica_count


def test_a_router_that_cannot_be_upgraded_serves_on_and_the_server_starts(
    shop: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise RouterRefused(kind="Envoy", reason="see router.log.")

    monkeypatch.setattr(shop.router, "is_outdated", lambda: True, raising=False)
    monkeypatch.setattr(shop.router, "upgrade", refuse, raising=False)

    upgrade_router(shop.ground)


def _live(deployment: Deployment) -> list[Replica]:
    return [r for r in queries.of_deployment(deployment.id) if r.retired_at is None]
