"""Signing a command line in from the browser, as RFC 8628 has it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from steerway.platform.errors import Forbidden, NotFound
from steerway.platform.identity import devices
from steerway.platform.identity.errors import CodeUnknown, TooOften
from steerway.platform.identity.models import DeviceRequest, Token
from steerway.platform.work import Work
from tests.platform.identity.stage import kinds

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Works = Callable[[str], Work]


def later(work: Work, seconds: float) -> Work:
    return replace(work, now=work.now + timedelta(seconds=seconds))


def ask(client: str = "steerway on laptop") -> dict[str, Any]:
    answer = Client().post("/api/device", {"client": client}, content_type="application/json")
    assert answer.status_code == 200
    return dict(answer.json())


def poll(device_code: str) -> Any:
    body = {"device_code": device_code}
    return Client().post("/api/device/token", body, content_type="application/json")


def test_a_command_line_gets_a_token_once_its_person_says_yes(
    browser: Callable[[str], Client],
) -> None:
    asked = ask()
    assert asked["verification_uri_complete"].endswith(f"/device?code={asked['user_code']}")

    page = browser("dave").get(f"/device?code={asked['user_code']}").content.decode()
    assert "steerway on laptop" in page
    assert "127.0.0.1" in page
    browser("dave").post("/device", {"code": asked["user_code"], "answer": "yes"})

    granted = poll(asked["device_code"]).json()
    assert (granted["name"], granted["token_type"]) == ("dave", "Bearer")
    assert granted["expires_in"] == pytest.approx(90 * 86400, abs=5)
    me = Client().get("/api/me", headers={"Authorization": f"Bearer {granted['access_token']}"})
    assert me.json()["role"] == "developer"
    assert poll(asked["device_code"]).json()["error"] == "expired_token"
    assert kinds() == ["device.approved", "token.created"]


def test_a_program_may_send_forms_as_the_standard_says(browser: Callable[[str], Client]) -> None:
    asked = Client().post("/api/device", {"client": "curl"}).json()
    browser("dave").post("/device", {"code": asked["user_code"], "answer": "yes"})

    grant = "urn:ietf:params:oauth:grant-type:device_code"
    fields = {"device_code": asked["device_code"], "grant_type": grant}
    body = "&".join(f"{key}={value}" for key, value in fields.items())
    answer = Client().post(
        "/api/device/token", body, content_type="application/x-www-form-urlencoded"
    )

    assert answer.status_code == 200
    assert answer.json()["access_token"].startswith("swy_")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_request"),
        ({"device_code": 7}, "invalid_request"),
        ({"device_code": "x", "grant_type": "password"}, "unsupported_grant_type"),
        ({"device_code": "made-up"}, "expired_token"),
        ([], "invalid_request"),
    ],
)
def test_a_poll_that_makes_no_sense_is_told_so(db: None, body: Any, error: str) -> None:
    answer = Client().post("/api/device/token", body, content_type="application/json")

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_polling_waits_and_slows_down(works: Works) -> None:
    work = works("dave")
    device, secret = devices.begin(work, client="cli", address="192.0.2.1")

    assert devices.claim(work, secret).error == "authorization_pending"
    assert devices.claim(later(work, 1), secret).error == "slow_down"
    assert devices.claim(later(work, 7), secret).error == "slow_down"  # the interval is 7 s by now
    devices.approve(work, device.user_code)
    assert devices.claim(later(work, 20), secret).token


def test_a_no_and_the_end_of_time_are_final(works: Works) -> None:
    work = works("dave")
    device, secret = devices.begin(work, client="cli", address="192.0.2.1")
    late, late_secret = devices.begin(work, client="cli", address="192.0.2.1")

    devices.deny(work, device.user_code)

    assert devices.claim(work, secret).error == "access_denied"
    assert devices.claim(later(work, 600), late_secret).error == "expired_token"
    with pytest.raises(CodeUnknown):
        devices.approve(later(work, 600), late.user_code)
    with pytest.raises(CodeUnknown):
        devices.approve(work, device.user_code)
    assert Token.objects.count() == 0


def test_an_approval_is_claimed_once(works: Works) -> None:
    work = works("dave")
    device, secret = devices.begin(work, client="cli", address="192.0.2.1")
    devices.approve(work, device.user_code)

    assert devices.claim(work, secret).token
    assert devices.claim(later(work, 60), secret).error == "expired_token"
    assert Token.objects.count() == 1


def test_codes_cannot_be_guessed_by_trying(works: Works) -> None:
    work = works("dave")
    for _ in range(devices.GUESSES_MAX):
        with pytest.raises(CodeUnknown):
            devices.look_up(work, "BBBB-BBBB")

    with pytest.raises(TooOften, match="Wait 600 seconds"):
        devices.look_up(work, "BBBB-BBBB")
    with pytest.raises(CodeUnknown):
        devices.look_up(works("guest"), "BBBB-BBBB")


def test_one_address_asks_only_so_often(db: None) -> None:
    for _ in range(devices.BEGINS_MAX):
        ask()

    answer = Client().post("/api/device")

    assert (answer.status_code, answer.json()["error"]) == (429, "slow_down")


def test_the_codes_are_stored_hashed_or_short_lived(works: Works) -> None:
    _, secret = devices.begin(works("dave"), client="cli", address="192.0.2.1")

    assert secret not in str(list(DeviceRequest.objects.values_list()))


def test_only_a_person_in_a_session_answers(works: Works) -> None:
    work = works("dave")
    device, _ = devices.begin(work, client="cli", address="192.0.2.1")
    token = replace(work, actor=replace(work.actor, name="dave/ci", scopes=("records.read",)))

    with pytest.raises((Forbidden, NotFound)):
        devices.approve(token, device.user_code)
    anonymous = Client().post("/device", {"code": device.user_code, "answer": "yes"})
    assert anonymous.headers["Location"].startswith("/account/login")
    device.refresh_from_db()
    assert device.state == "pending"


def test_saying_yes_needs_the_form_s_own_token(browser: Callable[[str], Client]) -> None:
    asked = ask()
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = browser("dave").cookies

    answer = forged.post("/device", {"code": asked["user_code"], "answer": "yes"})

    assert answer.status_code == 403
    assert poll(asked["device_code"]).json()["error"] == "authorization_pending"


def test_what_a_client_calls_itself_is_only_text(browser: Callable[[str], Client]) -> None:
    asked = ask("<script>alert(1)</script>\x1b[31m" + "x" * 500)

    page = browser("dave").get(f"/device?code={asked['user_code']}").content.decode()

    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "x" * 101 not in page
