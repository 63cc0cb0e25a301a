"""Pages for when something is broken: ours, whatever it is."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from steerway.platform.identity.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def alice(db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_user("alice", role="admin"), BACKEND)
    return client


def gone(*_: Any) -> None:
    raise OperationalError("the disk has left")


def boom(*_: Any, **__: Any) -> None:
    raise RuntimeError("a bug")


@pytest.mark.parametrize("path", ["/", "/services", "/deployments", "/log"])
def test_without_its_database_steerway_says_so_on_a_page_of_its_own(
    alice: Client, path: str
) -> None:
    with connection.execute_wrapper(gone):
        response = alice.get(path)

    assert response.status_code == 503
    assert b"The database does not answer" in response.content
    assert b"css/tokens.css" in response.content


def test_a_bug_is_said_without_its_details(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steerway.control.services.queries.overviews", boom)

    response = alice.get("/services")

    assert response.status_code == 500
    assert b"Something broke" in response.content
    assert b"log/server.log" in response.content
    assert b"a bug" not in response.content
