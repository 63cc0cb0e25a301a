"""Single sign-on at the team's identity provider."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from steerway.platform.identity.models import User
from tests.platform.identity.issuer import CLIENT, Issuer, issuing
from tests.platform.identity.stage import kinds

pytestmark = [pytest.mark.django_db, pytest.mark.database]
DOOR = "/account/sso/sso/login"


@pytest.fixture
def issuer(settings: Settings, stage: None) -> Iterator[Issuer]:
    """A provider, and a server that knows it."""
    with issuing() as provider:
        app = {
            "provider_id": "sso",
            "name": "single sign-on",
            "client_id": CLIENT,
            "secret": "client-secret",
            "settings": {"server_url": provider.url},
        }
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}
        }
        settings.ROOT_URLCONF = "tests.platform.identity.sso_stage"
        yield provider


def come_back(client: Client, door: str = DOOR, **changed: str) -> object:
    """The way to the provider and back again."""
    away = client.get(door)
    sent = {k: v[0] for k, v in parse_qs(urlsplit(away.headers["Location"]).query).items()}
    assert sent["code_challenge_method"] == "S256"
    return client.get(DOOR + "/callback", {"code": "abc", "state": sent["state"], **changed})


def test_the_sign_in_page_offers_it_as_a_link(issuer: Issuer) -> None:
    page = Client().get("/account/login").content.decode()

    assert f'href="{DOOR}"' in page


def test_somebody_new_comes_in_with_the_set_role(issuer: Issuer, db: None) -> None:
    issuer.claims = {"sub": "1", "preferred_username": "Nina.Berg", "email": "n@example.com"}
    client = Client()

    come_back(client)

    assert client.get("/").content == b"hello nina.berg"
    assert User.objects.get().role == "viewer"
    assert issuer.asked["client_secret"] == "client-secret"
    assert len(issuer.asked["code_verifier"]) >= 43
    assert kinds() == ["user.joined", "user.signed-in"]
    again = Client()
    come_back(again)
    assert again.get("/").content == b"hello nina.berg"
    assert User.objects.count() == 1


def test_the_name_or_mail_of_somebody_here_takes_over_nothing(
    issuer: Issuer, people: dict[str, User]
) -> None:
    people["alice"].email = "alice@example.com"
    people["alice"].save()
    issuer.claims = {
        "sub": "2",
        "preferred_username": "alice",
        "email": "alice@example.com",
        "email_verified": True,
    }
    client = Client()

    come_back(client)

    assert client.get("/").content == b"hello alice2"
    assert User.objects.get(username="alice2").role == "viewer"
    assert User.objects.get(username="alice").role == "admin"


@pytest.mark.parametrize(
    "claims",
    [{"iss": "http://evil.example"}, {"aud": "another"}, {"exp": 1}],
)
def test_a_claim_that_is_not_for_us_lets_nobody_in(
    issuer: Issuer, db: None, claims: dict[str, object]
) -> None:
    issuer.claims = {"sub": "1", "preferred_username": "nina", **claims}
    client = Client()

    come_back(client)

    assert client.get("/").status_code == 302
    assert User.objects.count() == 0


def test_an_answer_nobody_asked_for_lets_nobody_in(issuer: Issuer, db: None) -> None:
    issuer.claims = {"sub": "1", "preferred_username": "nina"}
    client = Client()

    come_back(client, state="made-up")

    assert client.get("/").status_code == 302
    assert User.objects.count() == 0


def test_a_link_ties_nobody_else_s_identity_to_one_s_account(
    issuer: Issuer, people: dict[str, User]
) -> None:
    issuer.claims = {"sub": "666", "preferred_username": "mallory"}
    alice, mallory = Client(), Client()
    alice.force_login(people["alice"])

    come_back(alice, DOOR + "?process=connect")
    come_back(mallory)

    assert mallory.get("/").content == b"hello mallory"


def test_a_disabled_person_stays_out(issuer: Issuer, db: None) -> None:
    issuer.claims = {"sub": "1", "preferred_username": "nina"}
    come_back(Client())
    User.objects.update(is_active=False)
    client = Client()

    come_back(client)

    assert client.get("/").status_code == 302
