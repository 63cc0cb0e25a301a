"""Pages: what they show, what they cost, what they refuse."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from steerway.delivery.releases.models import Release
from steerway.delivery.releases.rules import PREFIX, File, Manifest
from steerway.planning.changes.models import Change
from steerway.platform import clock
from steerway.platform.identity.models import User
from steerway.platform.log.actions import NewEvent, append
from tests.platform.web import scene
from tests.platform.web.scene import Scene

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def no_workflows(settings: Settings) -> None:
    settings.STEERWAY_STARTER = "tests.platform.web.scene.start"


@pytest.fixture
def played(db: None) -> Scene:
    return scene.play(clock.now())


@pytest.fixture
def alice(db: None) -> Client:
    return _client("alice", "admin")


@pytest.fixture
def guest(db: None) -> Iterator[Client]:
    return _client("guest", "viewer")


def _client(name: str, role: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_user(name, role=role), BACKEND)
    return client


def text_of(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, path
    return str(response.content.decode())


def queries_of(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_the_bridge_says_what_needs_somebody(alice: Client, played: Scene) -> None:
    html = text_of(alice, "/")

    assert "ledger v3.1 did not reach production" in html
    assert "inbox is paused" in html
    assert "newsletter is on hold" in html
    assert "pictures in production is in a crash loop" in html
    assert "Nothing needs you" not in html


def test_the_bridge_is_calm_when_all_is_well(alice: Client) -> None:
    scene.apply(scene.at(clock.now()), "shop", "Sells.", "alice", 1)

    assert "Nothing needs you." in text_of(alice, "/")


def test_an_empty_installation_says_the_next_command(alice: Client) -> None:
    assert "steerway init" in text_of(alice, "/")
    assert "steerway apply" in text_of(alice, "/services")
    assert "steerway deploy" in text_of(alice, "/deployments")


def test_a_failed_deployment_shows_its_last_lines_and_the_next_step(
    alice: Client, played: Scene
) -> None:
    html = text_of(alice, f"/deployments/{played.failed}")

    assert "is not healthy after 30 s" in html
    assert "ROUND_HALF_EVN" in html
    assert "The old version serves as before." in html
    assert "steerway deploy ledger --env production" in html


def test_a_deployment_in_flight_says_what_it_does(alice: Client, played: Scene) -> None:
    html = text_of(alice, f"/deployments/{played.running}")

    assert "Waiting until every new replica is healthy" in html
    assert 'aria-current="step"' in html
    assert 'data-open="cancel"' in html


def test_a_viewer_sees_no_way_to_change_anything(guest: Client, played: Scene) -> None:
    for path in ("/services/shop", f"/deployments/{played.running}", "/changes"):
        html = text_of(guest, path)
        assert 'data-open="deploy"' not in html
        assert 'data-open="cancel"' not in html
        assert 'data-open="pause"' not in html
        assert 'data-open="freeze"' not in html


def test_a_viewer_who_tries_anyway_is_refused(guest: Client, played: Scene) -> None:
    response = guest.post("/services/shop/deployments", {"environment": "production"})

    assert response.status_code == 403
    assert "guest may not deployments.start" in response.content.decode()


def test_deploying_leads_to_the_deployment(alice: Client, played: Scene) -> None:
    response = alice.post(
        "/services/pictures/deployments", {"environment": "production", "ref": "v4"}
    )

    assert response.status_code == 302
    assert response["Location"].startswith("/deployments/DEP-")


def test_a_refusal_is_said_on_the_page_one_was_on(alice: Client, played: Scene) -> None:
    response = alice.post(
        "/services/newsletter/deployments",
        {"environment": "production"},
        headers={"referer": "http://testserver/services/newsletter"},
    )

    assert response["Location"] == "/services/newsletter"
    assert "newsletter is on hold" in text_of(alice, "/services/newsletter")


@pytest.mark.parametrize(
    "referer",
    [
        "http://evil.example/services",
        "http://testserver//evil.example/services",
        "http://testserver/\\evil.example",
        "http://testserver.evil.example/services",
    ],
)
def test_a_refusal_leads_nowhere_else(alice: Client, played: Scene, referer: str) -> None:
    response = alice.post(
        "/services/newsletter/deployments",
        {"environment": "production"},
        headers={"referer": referer},
    )

    assert response.status_code == 409
    assert "evil.example" not in response.content.decode()


def test_freezing_shows_on_every_page(alice: Client, played: Scene) -> None:
    alice.post("/changes/freeze", {"reason": "Black Friday"})

    assert "Changes are frozen:" in text_of(alice, "/log")
    alice.post("/changes/thaw")
    assert "Changes are frozen:" not in text_of(alice, "/log")


def test_pausing_needs_a_reason_and_shows_it(alice: Client, played: Scene) -> None:
    refused = alice.post("/services/shop/pause", {"reason": ""})
    alice.post("/services/shop/pause", {"reason": "Moving the database"})

    assert refused.status_code == 422
    assert "Moving the database" in text_of(alice, "/services/shop")


def test_a_secret_is_shown_by_its_name_only(alice: Client, played: Scene) -> None:
    html = text_of(alice, "/services/shop/descriptor")

    assert "secret:payment-key" in html
    assert "this environment" in html


def test_a_change_leads_to_its_deployment(alice: Client, played: Scene) -> None:
    html = text_of(alice, "/changes/CHG-1")

    assert "/deployments/DEP-1" in html
    assert "Weekly round 1" in html


def test_a_release_says_where_it_runs(alice: Client, played: Scene) -> None:
    html = text_of(alice, f"/releases/{played.release}")

    assert "Serving" in html
    assert played.good in html


def test_the_palette_finds_by_name_and_by_number(alice: Client, played: Scene) -> None:
    assert "/services/ledger" in text_of(alice, "/search?q=edge")
    assert f"/deployments/{played.failed}" in text_of(alice, f"/search?q={played.failed.lower()}")
    assert "/changes/CHG-7" in text_of(alice, "/search?q=7")
    assert text_of(alice, "/search?q=").count('role="option"') <= 20
    assert "Nothing is called" in text_of(alice, "/search?q=zzz")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/services/nothing", "There is no service nothing."),
        ("/deployments/DEP-999", "There is no deployment DEP-999."),
        ("/deployments/x", "There is no deployment x."),
        ("/changes/CHG-999", "There is no change CHG-999."),
        ("/changes/x", "There is no change x."),
        ("/log/999999", "The log has no entry 999999."),
        ("/nowhere", "There is no page at this address."),
    ],
)
def test_what_is_missing_is_said_with_the_next_step(
    alice: Client, path: str, sentence: str
) -> None:
    assert sentence in text_of(alice, path, 404)


def test_an_unreadable_moment_is_said(alice: Client) -> None:
    assert "is not a moment" in text_of(alice, "/log?since=yesterday", 422)


def test_a_page_of_the_log_begins_where_the_last_one_ended(alice: Client, played: Scene) -> None:
    first = text_of(alice, "/log")
    oldest = first.rpartition("before=")[2].partition('"')[0]
    second = text_of(alice, f"/log?before={oldest}")

    assert f'href="/log/{oldest}"' in first
    assert f'href="/log/{oldest}"' not in second
    assert f'href="/log/{int(oldest) - 1}"' in second


def test_the_chain_is_verified_and_a_changed_entry_found(alice: Client, played: Scene) -> None:
    whole = text_of(alice, "/log/verification")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE log_event SET actor = 'mallory' WHERE seq = 3")
    changed = text_of(alice, "/log/verification")

    assert "The log is as it was written." in whole
    assert "Entry 3 is not as it was written" in changed
    assert "Changed" in text_of(alice, "/log/3")


def test_only_an_admin_sees_settings(alice: Client, guest: Client) -> None:
    assert "STEERWAY_DATABASE_URL" in text_of(alice, "/settings")
    assert "Not for your role" in text_of(guest, "/settings", 403)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", 21),
        ("/services", 12),
        ("/deployments", 5),
        ("/changes", 7),
        ("/releases", 5),
        ("/log", 5),
    ],
)
def test_a_list_asks_the_same_number_of_queries_however_long_it_is(
    alice: Client, path: str, most: int
) -> None:
    now = clock.now() - timedelta(days=1)
    _grow(now, 2)
    few = queries_of(alice, path)
    _grow(now, 9)

    assert queries_of(alice, path) == few <= most


def _grow(now: datetime, count: int) -> None:
    """More of everything, by actions."""
    start_at = User.objects.count() + count * 10
    for index in range(count):
        name = f"grown-{start_at}-{index}"
        scene.apply(scene.at(now), name, "Grows.", "alice", 1)
        wish = scene.Wish(name, "production", "v1", "It grows")
        scene.deploy(scene.at(now), wish)
        append(NewEvent(at=now, actor="alice", type="grown", subject=name))


def test_a_static_file_that_has_grown_is_sent_whole(
    tmp_path: Path, settings: Settings, alice: Client
) -> None:
    settings.STATICFILES_DIRS = [tmp_path]
    finders.get_finder.cache_clear()
    sheet = tmp_path / "grown.css"
    sheet.write_text("a {}")
    client = Client()
    first = client.get("/static/grown.css")
    first.close()
    sheet.write_text("a { color: green }")

    second = client.get("/static/grown.css")
    finders.get_finder.cache_clear()

    assert second["Content-Length"] == "18"
    assert second.getvalue() == b"a { color: green }"
    second.close()


def test_a_release_lists_its_files(alice: Client, played: Scene) -> None:
    release = Release.objects.get(id=played.release)
    files = tuple(File(f"pages/{n:03}.html", "0644", 2048, "c0ffee" * 10) for n in range(250))
    place = django_settings.STEERWAY.home / "releases" / release.digest[:PREFIX]
    place.mkdir(parents=True)
    (place / "manifest.json").write_text(Manifest("none", "", files).canonical)

    html = text_of(alice, f"/releases/{played.release}")

    assert "250 files" in html
    assert "the first 200 by path" in html
    assert "pages/199.html" in html
    assert "pages/200.html" not in html


def test_a_descriptor_change_shows_what_is_different(alice: Client) -> None:
    change = Change.objects.create(
        number=900,
        kind="descriptor",
        service="shop",
        summary="Redeclare shop: 1 value",
        requested_by="alice",
        opened_at=clock.now(),
        facts={"differences": ["~ run.replicas: 2 -> 3  (steerway.yaml:14)"]},
    )

    html = text_of(alice, f"/changes/{change.ref}")

    assert '<span class="mod">~ run.replicas: 2 -&gt; 3  (steerway.yaml:14)</span>' in html
