"""Passkeys in a real browser, with a virtual authenticator, under the strict policy."""

import pytest
from playwright.sync_api import Browser

from tests.platform.identity.served import Server
from tests.platform.identity.test_cli import run, terminal, user

__all__ = ["terminal"]
pytestmark = pytest.mark.browser
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_passkey_is_added_after_a_link_and_signs_in_alone(
    server: Server, chromium: Browser
) -> None:
    link = run(user, "add", "petra", "--role", "developer").stdout.splitlines()[0]
    here = f"http://localhost:{server.port}"
    refused: list[str] = []
    with chromium.new_context() as context:
        page = context.new_page()
        page.on("console", lambda m: refused.append(m.text) if "Content Security" in m.text else 0)
        devices = context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

        page.goto(here + "/link/" + link.rpartition("/")[2])
        page.get_by_role("button", name="Sign in as petra").click()
        page.get_by_role("link", name="Add a passkey instead").click()
        page.get_by_label("Passwordless").check()
        page.get_by_role("button", name="Add", exact=True).click()
        page.wait_for_url("**/account/2fa/webauthn/reauthenticate*")
        page.get_by_role("button", name="Use passkey").click()
        page.wait_for_url("**/account/2fa/codes")

        page.goto(here + "/account/logout")
        page.get_by_role("main").get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url(here + "/")
        assert page.text_content("body") == "hello petra"

    assert refused == []
