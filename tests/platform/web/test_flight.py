"""A deployment in flight on its page: what it says, what is printed, and who has the traffic."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django.fixtures import Settings

from steerway.delivery.builds import queries as builds
from steerway.delivery.builds.models import Build
from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Step, Strategy
from steerway.delivery.runtimes import actions as runtimes
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import Ports
from steerway.platform import clock
from steerway.platform.identity.models import User
from tests.platform.web import scene

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
BEFORE = (Step.PREFLIGHT, Step.BUILD, Step.INSTALL, Step.CONFIGURE)


@pytest.fixture(autouse=True)
def no_workflows(settings: Settings) -> None:
    settings.STEERWAY_STARTER = "tests.platform.web.scene.start"


@pytest.fixture
def alice(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("alice", role="admin"), BACKEND)
    return client


@pytest.fixture
def shop(db: None) -> Deployment:
    """v1 serves with three replicas, and v2 is about to take its place one by one."""
    now = clock.now()
    scene.apply(scene.at(now - timedelta(hours=1)), "shop", "Sells.", "alice", 3)
    v1 = scene.deploy(scene.at(now - timedelta(hours=1)), Wish("shop", "production", "v1", ""))
    scene.run(scene.at(now - timedelta(hours=1)), v1, routed=True)
    begun = actions.start(scene.at(now), Wish("shop", "production", "v2", ""))
    Deployment.objects.filter(id=begun.id).update(strategy=Strategy.ROLLING.value)
    return queries.get(begun.ref)


def place(deployment: Deployment) -> list[Replica]:
    work = scene.at(clock.now())
    for step in BEFORE:
        scene.take(work, deployment, step)
    runtimes.place(
        work,
        deployment.id,
        service="shop",
        environment="production",
        indexes=range(3),
        ports=Ports(20000, 29999),
    )
    return list(Replica.objects.filter(deployment_id=deployment.id).order_by("index"))


def page(client: Client, deployment: Deployment) -> str:
    return str(client.get(f"/deployments/{deployment.ref}").content.decode())


def test_the_traffic_moves_replica_by_replica(alice: Client, shop: Deployment) -> None:
    new = place(shop)
    old = list(Replica.objects.filter(deployment_id=shop.previous_id).order_by("index"))
    work = scene.at(clock.now())
    shares = []
    for index in range(3):
        runtimes.started(work, [new[index]])
        runtimes.admit(work, [new[index]], routed=True)
        runtimes.admit(work, [old[index]], routed=False)
        actions.enter(work, shop, Step.VERIFY)
        html = page(alice, shop)
        shares += [html.partition('role="img" aria-label="')[2].partition(" percent")[0]]

    assert shares == ["33", "67", "100"]


def test_the_page_says_which_replica_is_being_changed(alice: Client, shop: Deployment) -> None:
    new = place(shop)
    work = scene.at(clock.now())
    runtimes.started(work, [new[0]])
    runtimes.admit(work, [new[0]], routed=True)
    for step in (Step.START, Step.VERIFY, Step.SWITCH, Step.DRAIN):
        actions.enter(work, shop, step)
        actions.leave(work, shop, step)
    runtimes.started(work, [new[1]])
    actions.enter(work, shop, Step.VERIFY)

    html = page(alice, shop)

    assert "Replica 2 of 3: waiting until it is healthy" in html
    track = html.partition('class="track"')[2].partition("</ol>")[0]
    assert track.count('class="todo"') == 3  # what is taken again is ahead again
    assert "its turn comes" in html


def test_the_live_end_of_what_a_new_replica_prints_is_shown(
    alice: Client, shop: Deployment
) -> None:
    new = place(shop)
    runtimes.started(scene.at(clock.now()), [new[0]])
    actions.enter(scene.at(clock.now()), shop, Step.VERIFY)
    log: Path = django_settings.STEERWAY.log
    log.mkdir(parents=True, exist_ok=True)
    (log / f"{new[0].program}.log").write_text("".join(f"line {n}\n" for n in range(40)))

    html = page(alice, shop)

    assert "Replica 0 prints" in html
    assert "<span>line 39</span>" in html
    assert "<span>line 5</span>" not in html


def test_the_live_end_of_its_own_build_is_shown(alice: Client, shop: Deployment) -> None:
    now = clock.now()
    for asked_at, line in ((now - timedelta(hours=1), "an older one"), (now, "compiling prices")):
        build = Build.objects.create(
            service="shop", commit="c0ffee", name="v2", input_digest=uuid4().hex, asked_at=asked_at
        )
        file = builds.log_path(django_settings.STEERWAY.home, build.id)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"2026-03-02T12:00:01.123Z {line}\n")
        actions.enter(scene.at(now), shop, Step.BUILD)
        html = page(alice, shop)

    assert "The build prints" in html
    assert "<span>12:00:01 compiling prices</span>" in html


def test_deployments_are_found_by_their_state(alice: Client, shop: Deployment) -> None:
    html = str(alice.get("/deployments?state=running").content.decode())

    assert f"/deployments/{shop.ref}" in html
    assert f"/deployments/{queries.serving('shop', 'production').ref}" not in html  # type: ignore[union-attr] # v1 serves
