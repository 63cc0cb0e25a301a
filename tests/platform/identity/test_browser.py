"""Passkeys in a real browser, with a virtual authenticator, under the strict policy."""

import shutil

import pytest

from tests.platform.identity.served import Server
from tests.platform.identity.test_cli import run, terminal, user

__all__ = ["terminal"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_passkey_is_added_after_a_link_and_signs_in_alone(server: Server) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- slow, only where it runs

    link = run(user, "add", "petra", "--role", "developer").stdout.splitlines()[0]
    here = f"http://localhost:{server.port}"
    refused: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda m: refused.append(m.text) if "Content Security" in m.text else 0)
        devices = page.context.new_cdp_session(page)
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
        browser.close()

    assert refused == []
