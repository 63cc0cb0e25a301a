"""Two who do the same at the same moment: the database decides, and it happens once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest
from django.db import connections

from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.models import Deployment
from steerway.platform.db import unit_of_work
from steerway.platform.errors import SteerwayError
from steerway.platform.log.models import Event
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.cast import NOON, Started, actor
from tests.delivery.deployments.conftest import Counter

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

PEOPLE = ("alice", "olga")


@pytest.fixture
def shop(transactional_db: None) -> Counter:
    """The shop, where others see at once what one has done."""
    work = Work(actor=actor("alice", Role.ADMIN), now=NOON, starter=Started())
    made = Counter(work, count(1))
    with unit_of_work():
        made.declare()
    return made


def at_once(*tasks: Callable[[], object]) -> list[object]:
    """What each task gives, or the error it ends with, when all begin at the same moment."""
    together = Barrier(len(tasks))

    def do(task: Callable[[], object]) -> object:
        together.wait()
        try:
            with unit_of_work():
                return task()
        except SteerwayError as error:
            return type(error).__name__
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(do, tasks))


def begun(shop: Counter) -> Deployment:
    with unit_of_work():
        return shop.begin("v1")


def counted(kind: str) -> int:
    return Event.objects.filter(type=kind).count()


def test_two_who_deploy_at_once_get_one_deployment_and_one_no(shop: Counter) -> None:
    work = shop.work

    ends = at_once(*(lambda: actions.start(work, Wish("shop", "production")) for _ in PEOPLE))

    assert sorted(isinstance(end, Deployment) for end in ends) == [False, True]
    assert "Busy" in ends
    assert Deployment.objects.count() == 1
    assert counted("deployment.requested") == counted("change.opened") == 1


def test_two_who_end_it_at_once_end_it_once(shop: Counter) -> None:
    deployment, work = begun(shop), shop.work

    ends = at_once(
        lambda: actions.finish(work, deployment),
        lambda: actions.fail(work, deployment, error="It does not come up."),
    )

    assert sorted(ends) == [False, True]  # type: ignore[type-var] # both are bools
    assert counted("deployment.succeeded") + counted("deployment.failed") == 1
    assert counted("change.implemented") + counted("change.failed") == 1


def test_a_cancel_and_a_switch_at_once_agree_on_who_was_first(shop: Counter) -> None:
    deployment, work = begun(shop), shop.work

    refused, moved = at_once(
        lambda: actions.cancel(work, deployment), lambda: actions.switched(work, deployment)
    )

    now = queries.by_id(deployment.id)
    assert (refused, moved) in [("TooLate", True), (None, False)]
    assert bool(now.cancelled_by) is not bool(now.switched_at)
