"""Coming in: password, second step, link, and how often one may try."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings

from steerway.app import django_settings
from steerway.platform.identity import actions
from steerway.platform.identity.errors import LinkSpent
from steerway.platform.identity.models import LoginLink, User
from steerway.platform.log import queries as log
from steerway.platform.work import Work
from tests.platform.identity.stage import PASSWORD, kinds

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Works = Callable[[str], Work]
SIGN_IN = "/account/login"


def sign_in(client: Client, name: str, password: str = PASSWORD, **extra: str) -> object:
    return client.post(SIGN_IN, {"login": name, "password": password}, **extra)


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_name_and_password_sign_in_and_are_on_record(people: dict[str, User]) -> None:
    client = Client()

    answer = sign_in(client, "alice")

    assert answer.status_code == 302  # type: ignore[attr-defined]
    assert client.get("/").content == b"hello alice"
    event = log.newest(log.Filter(), rows=1)[0]
    assert (event.type, event.actor, event.subject) == ("user.signed-in", "alice", "alice")
    assert PASSWORD not in event.data


def test_passwords_are_kept_as_argon2(
    people: dict[str, User], settings: Settings, browser: Callable[[str], Client]
) -> None:
    settings.PASSWORD_HASHERS = django_settings.PASSWORD_HASHERS

    people["alice"].set_password(PASSWORD)
    people["alice"].save()

    assert people["alice"].password.startswith("argon2$argon2id$v=19$m=12288,t=3,p=1$")
    client = Client()
    sign_in(client, "alice")
    assert is_in(client)


def test_five_wrong_passwords_slow_down_whatever_host_or_case_is_used(
    people: dict[str, User],
) -> None:
    client = Client()
    for attempt in range(5):
        host = ("localhost", "127.0.0.1")[attempt % 2]
        page = sign_in(client, "alice", "wrong password", HTTP_HOST=host)
        assert b"not correct" in page.content  # type: ignore[attr-defined]

    refused = sign_in(client, "Alice", PASSWORD)

    assert b"Too many failed login attempts" in refused.content  # type: ignore[attr-defined]
    assert not is_in(client)
    sign_in(client, "olga")
    assert is_in(client)


def test_one_address_tries_ten_wrong_passwords_a_minute_over_all_names(
    people: dict[str, User],
) -> None:
    client = Client()
    for number in range(10):
        sign_in(client, f"nobody{number}", "wrong password")

    assert b"Too many" in sign_in(client, "alice").content  # type: ignore[attr-defined]
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    sign_in(elsewhere, "alice")
    assert is_in(elsewhere)


def test_failures_are_recorded_once_a_minute_and_never_with_what_was_typed(
    people: dict[str, User],
) -> None:
    client = Client()
    for _ in range(3):
        sign_in(client, "alice", "hunter2hunter2")
        sign_in(client, "typed-password-here", "x")

    events = log.newest(log.Filter(type="user.sign-in-failed"), rows=10)
    assert sorted(event.subject for event in events) == ["alice", "unknown"]
    text = str([(event.subject, event.data) for event in events])
    assert "hunter2" not in text
    assert "typed-password-here" not in text


def test_the_page_says_the_same_for_a_wrong_name_and_a_wrong_password(
    people: dict[str, User],
) -> None:
    def answer(name: str) -> str:
        page = sign_in(Client(), name, "wrong password").content.decode()  # type: ignore[attr-defined]
        return re.sub(r'value="[^"]*"|data-now="[^"]*"', "", page)

    assert answer("alice") == answer("nobody")


def test_strangers_cannot_sign_up_or_ask_for_a_mail(db: None) -> None:
    for path in ("/account/signup", "/account/password/reset", "/account/email"):
        assert Client().get(path).status_code in (302, 404)
        assert Client().post(path, {"email": "a@example.com"}).status_code in (302, 403, 404)
    assert User.objects.count() == 0


def test_a_disabled_person_does_not_get_in_and_loses_open_sessions(
    people: dict[str, User], works: Works
) -> None:
    client = Client()
    sign_in(client, "dave")
    assert is_in(client)

    actions.disable(works("alice"), "dave")

    assert not is_in(client)
    assert not Session.objects.exists()
    again = Client()
    sign_in(again, "dave")
    assert not is_in(again)


def test_a_link_shows_a_button_signs_in_once_and_asks_for_a_password(
    works: Works, people: dict[str, User]
) -> None:
    path = actions.invite(works("alice"), "carol", role="developer")
    client = Client()

    for _ in range(2):  # a preview, and the person
        assert b"Sign in as carol" in client.get(path).content
    answer = client.post(path)
    assert answer.headers["Location"] == "/account/welcome"
    assert b"Welcome, carol" in client.get("/account/welcome").content
    chosen = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert client.post("/account/welcome", chosen).status_code == 302
    assert is_in(client)

    late = Client().post(path)
    assert late.status_code == 404
    assert b"does not work any more" in late.content
    fresh = Client()
    sign_in(fresh, "carol")
    assert is_in(fresh)
    assert kinds().count("user.link-used") == 1
    assert "user.password-set" in kinds()


def test_the_welcome_page_is_only_for_who_came_by_a_link(
    browser: Callable[[str], Client],
) -> None:
    chosen = {"new_password1": PASSWORD, "new_password2": PASSWORD}

    answer = browser("dave").post("/account/welcome", chosen)

    assert answer.headers["Location"] == "/account/password"


def test_a_weak_password_is_refused(works: Works, people: dict[str, User]) -> None:
    client = Client()
    client.post(actions.invite(works("alice"), "carol", role="developer"))

    for weak in ("short", "password1234", "1234567890"):
        chosen = {"new_password1": weak, "new_password2": weak}
        assert client.post("/account/welcome", chosen).status_code == 422


def add_app(user: User) -> str:
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return str(secret)


def test_a_second_step_is_asked_after_the_password(people: dict[str, User]) -> None:
    secret = add_app(people["alice"])
    client = Client()

    answer = sign_in(client, "alice")

    assert answer.headers["Location"] == "/account/2fa/authenticate"  # type: ignore[attr-defined]
    assert not is_in(client)
    wrong = client.post("/account/2fa/authenticate", {"code": "000000"})
    assert b"Incorrect code" in wrong.content
    assert not is_in(client)
    client.post("/account/2fa/authenticate", {"code": code_of(secret)})
    assert is_in(client)
    assert kinds() == ["user.sign-in-failed", "user.signed-in"]


def test_a_link_does_not_stand_for_the_second_step(people: dict[str, User], works: Works) -> None:
    add_app(people["dave"])
    client = Client()

    answer = client.post(actions.login_link(works("alice"), "dave"))

    assert answer.headers["Location"] == "/account/2fa/authenticate"
    assert not is_in(client)


def test_a_lost_second_factor_is_forgotten_by_an_admin(
    people: dict[str, User], works: Works
) -> None:
    add_app(people["dave"])

    actions.clear_factors(works("alice"), "dave")

    client = Client()
    sign_in(client, "dave")
    assert is_in(client)


def test_the_app_is_set_up_with_its_picture_and_gives_recovery_codes(
    people: dict[str, User], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client = Client()
    sign_in(client, "alice")
    client.post("/account/reauthenticate", {"password": PASSWORD})
    page = client.get("/account/2fa/app").content.decode()
    secret = re.search(r"<code[^>]*>([A-Z2-7]+)</code>", page)
    assert secret
    assert "data:image/svg+xml;base64," in page

    with django_capture_on_commit_callbacks(execute=True):
        done = client.post("/account/2fa/app", {"code": code_of(secret[1])})

    assert done.headers["Location"] == "/account/2fa/codes"
    codes = re.findall(r"<li><code>(\w+)</code>", client.get("/account/2fa/codes").content.decode())
    assert len(codes) == 10
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret[1] not in stored
    assert "user.app-added" in kinds()
    again = Client()
    sign_in(again, "alice")
    again.post("/account/2fa/authenticate", {"code": codes[0]})
    assert is_in(again)


def test_changing_factors_asks_whether_it_is_still_you(
    browser: Callable[[str], Client],
) -> None:
    client = browser("alice")  # signed in, but not just now

    answer = client.get("/account/2fa/app")

    assert answer.headers["Location"].startswith("/account/reauthenticate")
    assert b"Is it still you?" in client.get(answer.headers["Location"]).content
    client.post("/account/reauthenticate", {"password": PASSWORD})
    assert client.get("/account/2fa/app").status_code == 200


def test_a_passkey_sign_in_starts_with_a_challenge_for_anybody(db: None) -> None:
    answer = Client().get("/account/2fa/webauthn/login", headers={"Accept": "application/json"})

    asked = answer.json()["request_options"]["publicKey"]
    assert asked["rpId"] == "testserver"
    assert len(asked["challenge"]) >= 40
    wrong = Client().post("/account/2fa/webauthn/login", {"credential": '{"id": "x"}'})
    assert wrong.headers["Location"] == SIGN_IN


def test_adding_a_passkey_offers_creation_options_to_the_script(people: dict[str, User]) -> None:
    client = Client()
    sign_in(client, "alice")
    client.post("/account/reauthenticate", {"password": PASSWORD})

    page = client.get("/account/2fa/passkeys/new").content.decode()

    assert 'data-passkey="create"' in page
    assert "&quot;creation_options&quot;" in page


def test_changing_the_password_ends_the_other_sessions(people: dict[str, User]) -> None:
    here, there = Client(), Client()
    sign_in(here, "alice")
    sign_in(there, "alice")
    new = "another long battery"

    here.post("/account/password", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert is_in(here)
    assert not is_in(there)
    assert "user.password-set" in kinds()


def test_signing_out_everywhere_keeps_only_this_session(people: dict[str, User]) -> None:
    here, there = Client(), Client()
    sign_in(here, "alice")
    sign_in(there, "alice")

    here.post("/account/sessions/end")

    assert is_in(here)
    assert not is_in(there)
    here.post("/account/logout")
    assert not is_in(here)
    assert kinds()[-2:] == ["user.sessions-ended", "user.signed-out"]


def test_the_session_cookie_is_for_the_server_alone(people: dict[str, User]) -> None:
    client = Client()
    sign_in(client, "alice")

    cookie = client.cookies["steerway"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 12 * 3600


def test_a_session_slides_but_is_not_written_at_every_request(
    browser: Callable[[str], Client],
) -> None:
    client = browser("alice")
    client.get("/")
    assert "steerway" not in client.get("/").cookies

    session = client.session
    session["seen"] = session["seen"] - 301
    session.save()

    assert client.get("/").cookies["steerway"]["max-age"] == 12 * 3600


def test_ended_sessions_are_removed(people: dict[str, User], works: Works) -> None:
    client = Client()
    sign_in(client, "alice")
    sign_in(Client(), "dave")
    Session.objects.filter(pk=client.session.session_key).update(expire_date=works("alice").now)

    later = works("alice")
    actions.tidy(replace(later, now=later.now + timedelta(seconds=1)))

    assert not is_in(client)
    assert (Session.objects.count(), UserSession.objects.count()) == (1, 1)


def test_a_link_leads_nobody_elsewhere_after_signing_in(people: dict[str, User]) -> None:
    client = Client()

    answer = client.post(
        SIGN_IN, {"login": "alice", "password": PASSWORD, "next": "https://evil.example/"}
    )

    assert answer.headers["Location"] == "/"


def test_a_link_that_was_used_between_look_and_use_is_refused(
    works: Works, people: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = actions.invite(works("alice"), "carol", role="developer")
    link = LoginLink.objects.select_related("user").get(user__username="carol")
    LoginLink.objects.update(used_at=works("alice").now)
    # What the loser of the race has seen: a link that was still unused.
    monkeypatch.setattr("steerway.platform.identity.queries.open_link", lambda *_: link)

    with pytest.raises(LinkSpent):
        actions.use_link(works("alice"), path.removeprefix("/link/"))
