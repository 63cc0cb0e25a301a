"""Who asks: the session, a token, the local door, or nobody; and what a request may change."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from steerway.platform.identity import tokens
from steerway.platform.identity.middleware import os_user
from steerway.platform.identity.models import User
from steerway.platform.work import Work
from tests.platform.identity.stage import PASSWORD, kinds

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Browser = Callable[[str], Client]


def post(client: Client, path: str, **headers: str) -> Any:
    return client.post(path, {}, content_type="application/json", headers=headers)


def test_a_stranger_is_led_to_the_sign_in_and_back(db: None) -> None:
    answer = Client().get("/account?x=1")

    assert answer.headers["Location"] == "/account/login?next=/account%3Fx%3D1"


def test_a_stranger_gets_a_problem_from_the_api(db: None) -> None:
    for path in ("/api/me", "/api/people", "/api/secrets", "/api/nothing-here", "/api/schema"):
        answer = Client().get(path)
        assert answer.status_code == 401, path
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "/errors/unauthenticated"


def test_a_fragment_of_an_ended_session_sends_the_whole_page_to_the_sign_in(db: None) -> None:
    answer = Client().get("/", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/account/login")


def test_a_stranger_is_not_told_which_addresses_exist(db: None) -> None:
    for path in ("/nothing-here", "/people", "/link", "/account/nothing"):
        answer = Client().get(path)
        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/account/login?next=")


@pytest.mark.parametrize("address", ["/", "/account/login", "/api/me", "/api/device"])
def test_another_host_name_finds_nothing(db: None, address: str) -> None:
    answer = Client().get(address, headers={"host": "rebound.example"})

    assert answer.status_code == 400
    assert "STEERWAY_HOSTS" in answer.content.decode()


def test_a_token_opens_no_page(works: Callable[[str], Work]) -> None:
    _, secret = tokens.create(works("alice"), name="ci", days=1)
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"})

    assert client.get("/people").status_code == 302
    assert client.post("/account/sessions/end").status_code in (302, 403)
    assert client.get("/api/people").status_code == 200


def test_the_local_door_is_the_owner_of_the_machine(db: None) -> None:
    local = Client(REMOTE_ADDR="local", enforce_csrf_checks=True)

    me = local.get("/api/me").json()
    made = post(local, "/api/probe/people.manage")

    assert me["name"] == f"local:{os_user()}"
    assert me["role"] == "admin"
    assert made.status_code == 200


@pytest.mark.parametrize(
    "extra",
    [
        {"REMOTE_ADDR": "127.0.0.1"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "local", "HTTP_X_FORWARDED_FOR": "local"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "local"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_REMOTE_ADDR": "local"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "local"},
        {"REMOTE_ADDR": "127.0.0.1", "REMOTE_USER": "local"},
        {"REMOTE_ADDR": "Local"},
    ],
)
def test_nobody_else_looks_local(db: None, extra: dict[str, str]) -> None:
    assert Client().get("/api/me", **extra).status_code in (400, 401)


def test_a_name_can_never_be_the_local_actor_s(browser: Browser) -> None:
    body = json.dumps({"name": "local:root", "role": "admin"})

    answer = browser("alice").post("/api/people", body, content_type="application/json")

    assert answer.status_code == 422


def test_a_session_writes_to_the_api_only_with_its_form_token(
    people: dict[str, User],
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["alice"])
    page = client.get("/account")

    refused = post(client, "/api/probe/people.manage")
    granted = post(
        client,
        "/api/probe/people.manage",
        **{"X-CSRFToken": client.cookies["steerway-csrf"].value},
    )

    assert page.status_code == 200
    assert refused.status_code == 403
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert granted.status_code == 200


def test_a_token_needs_no_form_token(works: Callable[[str], Work]) -> None:
    _, secret = tokens.create(works("alice"), name="ci", days=1)

    answer = post(
        Client(enforce_csrf_checks=True),
        "/api/probe/people.manage",
        Authorization=f"Bearer {secret}",
    )

    assert answer.status_code == 200


def test_signing_in_needs_the_form_s_token(people: dict[str, User]) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post("/account/login", {"login": "alice", "password": PASSWORD})

    assert answer.status_code == 403
    assert b"data-seq" not in answer.content  # what only people inside may see
    assert client.get("/").status_code == 302


def test_a_success_is_kept_and_a_refusal_leaves_nothing(browser: Browser) -> None:
    assert post(browser("dave"), "/api/probe/people.manage").status_code == 403
    assert kinds() == []

    assert post(browser("dave"), "/api/probe/services.apply").status_code == 200
    assert kinds() == ["probe.asked"]


def test_a_body_without_end_is_refused_before_it_is_read(browser: Browser) -> None:
    answer = browser("dave").generic(
        "POST", "/api/probe/services.apply", b"{}", CONTENT_LENGTH=str(17 * 1024 * 1024)
    )

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("address", "body", "kind", "status"),
    [
        ("/api/people/%00", b"", "application/json", 400),
        ("/api/people?after=%00", b"", "application/json", 400),
        ("/api/people", b'{"name": "a\\u0000b"}', "application/json", 400),
        ("/api/people", b'{"name": "\\\\\\u0000"}', "application/json", 400),
        ("/api/people", b'{"name": "a\0b"}', "application/json", 400),
        ("/people", b"name=a%00b", "application/x-www-form-urlencoded", 400),
        # These only look like one: a backslash and letters, and letters of an encoding.
        ("/api/people", b'{"name": "\\\\u0000"}', "application/json", 422),
        ("/api/people", b'{"name": "a%00b"}', "application/json", 422),
        ("/people", b"name=a%2500b", "application/x-www-form-urlencoded", 422),
    ],
)
def test_a_zero_byte_is_no_text_for_any_database(
    browser: Browser, address: str, body: bytes, kind: str, status: int
) -> None:
    answer = browser("alice").generic("POST", address, body, content_type=kind)

    assert answer.status_code == status


def test_whoami_says_what_one_may(browser: Browser) -> None:
    me = browser("guest").get("/api/me").json()

    assert me["name"] == "guest"
    assert "records.read" in me["permissions"]
    assert "deployments.start" not in me["permissions"]
