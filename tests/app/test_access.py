"""Who is let in where Django does not ask: the same people and tokens as everywhere."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from steerway.app import access
from steerway.app.intake import Writer
from steerway.platform import clock
from steerway.platform.identity import tokens
from steerway.platform.identity.models import User
from steerway.platform.work import Work

pytestmark = pytest.mark.django_db


def scope(**headers: str) -> Any:
    return {
        "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
        "client": ("192.0.2.7", 4000),
    }


@pytest.fixture
def secret(work: Work) -> str:
    """A token of alice that may read."""
    User.objects.create_user("alice", role="admin")
    today = replace(work, now=clock.now())
    return tokens.create(today, name="grafana", days=1, scopes=("records.read",))[1]


def test_a_token_is_a_bearer_or_a_password(secret: str) -> None:
    as_password = base64.b64encode(f"grafana:{secret}".encode()).decode()
    as_name = base64.b64encode(f"{secret}:".encode()).decode()

    for header in (f"Bearer {secret}", f"Basic {as_password}", f"basic {as_name}"):
        assert access.may("records.read", scope(authorization=header)), header


def test_a_token_does_what_its_scopes_say_and_no_more(secret: str) -> None:
    assert not access.may("tokens.manage", scope(authorization=f"Bearer {secret}"))


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer swy_x", "Basic ???", "Basic /w==", "Odd x"]
)
def test_a_stranger_is_nobody(secret: str, header: str) -> None:
    given = {"authorization": header} if header else {}

    assert access.actor_of(scope(**given)) is None


def test_a_person_is_known_by_their_session(secret: str) -> None:
    client = Client()
    client.force_login(User.objects.get(username="alice"))
    name = settings.SESSION_COOKIE_NAME
    cookie = f"{name}={client.cookies[name].value}"

    found = access.actor_of(scope(cookie=cookie))

    assert found is not None
    assert found.name == "alice"
    assert access.may_read(scope(cookie=cookie))


def test_the_local_door_is_the_owners() -> None:
    assert access.may("records.read", {**scope(), "client": ("local", 0)})


def test_a_token_may_be_bound_to_the_telemetry_of_one_place(work: Work) -> None:
    User.objects.create_user("alice", role="admin")
    today = replace(work, now=clock.now())
    bound, whole = (
        tokens.create(today, name=name, days=1, scopes=(one,))[1]
        for name, one in (("ours", "telemetry.write@shop/production"), ("all", "telemetry.write"))
    )

    assert access.writer(scope(authorization=f"Bearer {bound}")) == Writer(
        may=True, place=("shop", "production")
    )
    assert access.writer(scope(authorization=f"Bearer {whole}")) == Writer(may=True)
    assert not access.may("records.read", scope(authorization=f"Bearer {bound}"))
