"""Codes and passkeys that do not count."""

import json
from contextlib import nullcontext

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from fido2.utils import websafe_encode

from steerway.platform.identity.models import User
from steerway.platform.identity.signin import check_origin
from tests.platform.identity.test_signin import add_app, code_of, is_in, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_a_code_counts_once_for_as_long_as_the_app_may_show_it(people: dict[str, User]) -> None:
    secret = add_app(people["alice"])
    seen = code_of(secret)
    alice, thief = Client(), Client()
    sign_in(alice, "alice")
    alice.post("/account/2fa/authenticate", {"code": seen})

    # Half a minute later allauth has forgotten the code, and still takes it.
    cache.delete(f"allauth.mfa.totp.used?user={people['alice'].pk}&code={seen}")
    sign_in(thief, "alice")
    thief.post("/account/2fa/authenticate", {"code": f"{seen[:3]} {seen[3:]}"})

    assert is_in(alice)
    assert not is_in(thief)


@pytest.mark.parametrize(
    ("origin", "host", "is_ours"),
    [
        ("http://localhost:7300", "localhost:7300", True),
        ("http://localhost:20001", "localhost:7300", False),
        ("http://shop.localhost:8080", "localhost:7300", False),
        ("https://localhost:7300", "localhost:7300", False),
        ("http://localhost", "localhost:7300", False),
    ],
)
def test_a_passkey_asked_for_by_another_program_of_the_machine_does_not_count(
    rf: RequestFactory, origin: str, host: str, is_ours: bool
) -> None:
    said = json.dumps({"type": "webauthn.get", "challenge": "x", "origin": origin})
    credential = {"response": {"clientDataJSON": websafe_encode(said.encode())}}
    expected = nullcontext() if is_ours else pytest.raises(ValueError, match=origin)

    with expected:
        check_origin(rf.post("/account/2fa/webauthn/login", headers={"host": host}), credential)


@pytest.mark.parametrize(
    "credential", [None, 1, "x", [], {}, {"response": "x"}, {"response": {"clientDataJSON": "!"}}]
)
def test_what_is_no_credential_is_a_wrong_one(db: None, credential: object) -> None:
    client = Client()
    client.get("/account/2fa/webauthn/login", headers={"Accept": "application/json"})

    answer = client.post("/account/2fa/webauthn/login", {"credential": json.dumps(credential)})

    assert answer.status_code in (200, 302)
    assert not is_in(client)
