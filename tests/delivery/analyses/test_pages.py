"""A canary on the page of its deployment, and in lists."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from steerway.delivery.analyses import queries
from steerway.delivery.deployments import queries as deployments
from steerway.platform import clock
from steerway.platform.identity.models import User
from tests.platform.web import judged
from tests.platform.web.judged import Played

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def no_workflows(settings: Settings) -> None:
    settings.STEERWAY_STARTER = "tests.platform.web.scene.start"


@pytest.fixture
def played(db: None) -> Played:
    return judged.play(clock.now())


def client(name: str, role: str) -> Client:
    found = Client()
    found.force_login(User.objects.create_user(name, role=role), BACKEND)
    return found


@pytest.fixture
def alice(db: None) -> Client:
    return client("alice", "admin")


def page(visitor: Client, ref: str) -> str:
    return str(visitor.get(f"/deployments/{ref}").content.decode())


def card(html: str) -> str:
    return html.partition('id="canary"')[2].partition("</section>")[0]


def test_a_canary_in_flight_says_how_it_is_going(alice: Client, played: Played) -> None:
    html = page(alice, played.flying)
    shown = card(html)

    assert "<h2>Not enough data yet</h2>" in shown
    assert "Not enough data at 5 % yet" in shown
    assert shown.count("<li") == 4
    now = shown.partition('aria-current="step"')[2].partition("</li>")[0]
    assert "5 %" in now
    assert "by approval" in shown
    assert "5 percent to the new version, 95 percent to the stable one" in shown
    assert "v9 (new) 5 %" in shown
    assert "requests that failed, with those a retry hid" in shown
    assert "Evidence that it is worse" in html
    assert f"/api/deployments/{played.flying}/analysis" in html
    assert "Comparing the new version with the stable one" in html


def test_it_can_be_paused_resumed_approved_and_promoted(alice: Client, played: Played) -> None:
    at = f"/deployments/{played.flying}/analysis"

    alice.post(f"{at}/pause")
    assert "Paused at 5 % by alice" in card(page(alice, played.flying))
    alice.post(f"{at}/resumption")
    assert "Paused" not in card(page(alice, played.flying))
    flying = deployments.get(played.flying)
    judged.judge(flying, since=clock.now() - timedelta(seconds=30), seconds=30)
    waiting = page(alice, played.flying)
    assert "Waits until somebody approves 50 %" in card(waiting)
    assert 'name="percent" value="50"' in waiting
    assert "roastery v9 waits for its 50 % in production" in str(alice.get("/").content.decode())
    done = alice.post(f"{at}/approval", {"percent": "50"}, follow=True)
    assert "It may take its step to 50 %." in done.content.decode()
    assert queries.get(played.flying).approved == [50.0]
    alice.post(f"{at}/promotion")
    assert queries.get(played.flying).wish == "promote"


def test_a_step_that_is_no_number_is_refused(alice: Client, played: Played) -> None:
    answer = alice.post(f"/deployments/{played.flying}/analysis/approval", {"percent": "most"})

    assert answer.status_code == 422
    assert "Say which step" in answer.content.decode()


def test_a_viewer_sees_it_and_can_do_nothing(played: Played) -> None:
    guest = client("guest", "viewer")

    html = page(guest, played.flying)
    refused = guest.post(f"/deployments/{played.flying}/analysis/promotion")

    assert "Not enough data yet" in html
    assert "/analysis/pause" not in html
    assert 'id="promote"' not in html
    assert 'id="cancel"' not in html
    assert refused.status_code == 403


def test_a_worse_one_keeps_its_evidence_and_says_why(alice: Client, played: Played) -> None:
    html = page(alice, played.worse)
    shown = card(html)

    assert "<h2>Worse: taken back from 5 %</h2>" in shown
    assert "Worse, by errors" in shown
    assert "requests failed, 0 % of" in shown
    assert "it ended here" in shown
    assert "/analysis/pause" not in html
    assert "v8 was worse; v7 serves all again" in html
    assert "Rolled back" in html
    assert deployments.get(played.worse).change.ref in html
    assert f"/api/deployments/{played.worse}/analysis" in html


def test_lists_and_the_bridge_say_that_it_was_rolled_back(alice: Client, played: Played) -> None:
    alice.post(f"/deployments/{played.flying}/cancellation")
    deployments.get(played.flying).delete()

    bridge = str(alice.get("/").content.decode())
    rows = str(alice.get("/deployments?state=rolled-back").content.decode())

    assert "roastery v8 was rolled back from production" in bridge
    assert 'pill bad">Rolled back' in rows


def test_the_page_costs_few_queries(alice: Client, played: Played) -> None:
    page(alice, played.flying)
    with CaptureQueriesContext(connection) as captured:
        page(alice, played.flying)

    assert len(captured) <= 17
