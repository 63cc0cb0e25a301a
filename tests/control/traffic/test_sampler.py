"""The question to the router, its gaps, and the answer over HTTP."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from steerway.control.traffic import queries
from steerway.control.traffic.rules import Flow, Look, Tally, Window
from steerway.control.traffic.workflows import Sampler
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.router.errors import RouterDown
from steerway.delivery.router.rules import Count, cluster_name
from steerway.platform import clock
from steerway.platform.identity.models import User
from tests.cast import NOON
from tests.platform.web import scene

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
OTHERS = Window()


class Router:
    """Answers with what it is told, or not at all."""

    def __init__(self, *answers: int | None) -> None:
        self.answers: Iterator[int | None] = iter(answers)

    def counts(self) -> list[Count]:
        requests = next(self.answers)
        if requests is None:
            raise RouterDown(reason="it is gone", log="router.log")
        return [Count("request", "shop", "production", "v1", 200, "", requests)]


def sample(*answers: int | None) -> Window:
    window = Window()
    moments = iter(NOON + timedelta(seconds=n) for n in range(len(answers)))
    sampler = Sampler(Router(*answers).counts, lambda: next(moments), window)
    for _ in answers:
        sampler.look()
    return window


@pytest.mark.django_db
@pytest.mark.database
def test_what_came_before_the_first_look_is_not_counted() -> None:
    found = queries.traffic(sample(1000, 1005), "shop", now=NOON + timedelta(seconds=1))

    assert found.is_live
    assert [r and r.requests_per_second for r in found.series[0].rates] == [None, 5.0]


@pytest.mark.django_db
@pytest.mark.database
def test_a_router_that_is_down_leaves_a_gap() -> None:
    found = queries.traffic(sample(10, 15, None, 3, 4), "shop", now=NOON + timedelta(seconds=4))

    assert [r and r.requests_per_second for r in found.series[0].rates] == [None, 5.0, None, 1.0]


@pytest.mark.django_db
@pytest.mark.database
def test_traffic_that_nobody_watches_any_more_is_not_live() -> None:
    found = queries.traffic(sample(10, 15), "shop", now=NOON + timedelta(seconds=30))

    assert not found.is_live


@pytest.mark.django_db
@pytest.mark.database
def test_the_api_gives_series_and_the_deployments_between(settings: Settings) -> None:
    settings.STEERWAY_STARTER = "tests.platform.web.scene.start"
    settings.STEERWAY_TRAFFIC = "tests.control.traffic.test_sampler.OTHERS"
    now = clock.now()
    scene.apply(scene.at(now), "shop", "Sells.", "alice", 1)
    deployed = scene.deploy(scene.at(now - timedelta(seconds=60)), Wish("shop", "production", "v1"))
    flow = Flow("shop", "production", cluster_name("shop", "production", deployed.id))
    OTHERS.add(Look(now - timedelta(seconds=2), {}, begins=True))
    OTHERS.add(Look(now - timedelta(seconds=1), {flow: Tally(20, 5)}))
    client = Client()
    client.force_login(User.objects.create_user("guest", role="viewer"), BACKEND)

    found = client.get("/api/services/shop/traffic").json()
    missing = client.get("/api/services/nothing/traffic")

    assert found["is_live"]
    assert len(found["times"]) == 2
    assert found["series"] == [
        {
            "environment": "production",
            "version": "v1",
            "deployment": deployed.ref,
            "requests_per_second": [None, 20.0],
            "failed_ratio": [None, 0.25],
        }
    ]
    assert [one["deployment"] for one in found["markers"]] == [deployed.ref]
    assert missing.status_code == 404
