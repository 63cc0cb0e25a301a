"""Pages under the hand: keyboard alone, live, remembered, and at phone width."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.pages.conftest import PHONE, Stage, Visitor

pytestmark = pytest.mark.browser

TABS_MAX = 40


def tab_to(page: Page, name: str) -> None:
    """Press the tab key until something of this name has the focus."""
    said = "document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate(said) == name:
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


def test_somebody_deploys_with_the_keyboard_alone(
    browser: Browser,
    own_stage: Stage,
) -> None:
    visitor = Visitor(browser, own_stage)
    page = visitor.go("/services/pictures")

    tab_to(page, "Deploy")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Deploy pictures")).to_be_visible()
    expect(page.get_by_label("Environment")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("v4.0")
    page.keyboard.press("Tab")
    page.keyboard.type("New thumbnails")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/deployments/DEP-\d+$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("pictures v4.0")
    visitor.close()
    assert visitor.complaints == []


def test_the_palette_jumps_by_keyboard(browser: Browser, stage: Stage) -> None:
    visitor = Visitor(browser, stage)
    page = visitor.go("/log")

    page.keyboard.press("Control+k")
    page.keyboard.type("ledg")
    expect(page.get_by_role("option", name="ledger Books")).to_have_attribute(
        "aria-selected", "true"
    )
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")

    page.wait_for_url("**/services/ledger")
    visitor.close()
    assert visitor.complaints == []


def test_escape_closes_the_palette_and_gives_the_focus_back(
    browser: Browser,
    stage: Stage,
) -> None:
    visitor = Visitor(browser, stage)
    page = visitor.go("/")
    opener = page.get_by_role("button", name="Jump to anything")

    opener.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")

    expect(page.locator("#palette")).not_to_be_visible()
    expect(opener).to_be_focused()
    visitor.close()


def test_a_deployment_moves_on_while_it_is_watched(
    browser: Browser,
    own_stage: Stage,
) -> None:
    visitor = Visitor(browser, own_stage)
    page = visitor.go(f"/deployments/{own_stage.scene['running']}")
    expect(page.locator(".side .live")).to_have_text("Live")
    expect(page.locator(".track .now")).to_contain_text("Verify")

    own_stage.say(f"finish {own_stage.scene['running']}")

    expect(page.locator(".stage strong")).to_have_text("v1.13 serves shop in testing")
    expect(page.locator(".track .done")).to_have_count(9)
    expect(page).to_have_title(re.compile("Succeeded"))
    visitor.close()
    assert visitor.complaints == []


def test_a_failure_appears_on_the_bridge_by_itself(
    browser: Browser,
    own_stage: Stage,
) -> None:
    visitor = Visitor(browser, own_stage)
    page = visitor.go("/")
    expect(page.locator(".side .live")).to_have_text("Live")

    own_stage.say(f"fail {own_stage.scene['running']}")

    expect(page.locator("#needs")).to_contain_text("shop v1.13 did not reach testing")
    visitor.close()
    assert visitor.complaints == []


def test_traffic_is_drawn_and_told_in_a_table(browser: Browser, stage: Stage) -> None:
    visitor = Visitor(browser, stage)
    page = visitor.go(f"/deployments/{stage.scene['running']}")

    quiet = page.get_by_role("region", name="Live traffic of testing")
    expect(quiet).to_contain_text("No requests in the last five minutes.")
    visitor.close()
    assert visitor.complaints == []


def test_a_deployment_is_cancelled_by_hand(browser: Browser, own_stage: Stage) -> None:
    visitor = Visitor(browser, own_stage)
    page = visitor.go(f"/deployments/{own_stage.scene['running']}")

    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the deployment").click()

    expect(page.locator(".stage strong")).to_contain_text("alice has cancelled it")
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)
    visitor.close()
    assert visitor.complaints == []


def test_the_theme_is_remembered(browser: Browser, stage: Stage) -> None:
    visitor = Visitor(browser, stage)
    page = visitor.go("/")

    page.get_by_role("button", name="Switch theme").click()
    page.get_by_role("button", name="Switch theme").click()
    visitor.go("/services")

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    visitor.close()


def test_a_digest_is_copied_whole(browser: Browser, stage: Stage) -> None:
    visitor = Visitor(browser, stage)
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.go(f"/deployments/{stage.scene['good']}")

    page.get_by_role("button", name="Copy commit").click()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch("[0-9a-f]{40}", copied)
    visitor.close()


def test_the_log_is_verified_in_place(browser: Browser, stage: Stage) -> None:
    visitor = Visitor(browser, stage)
    page = visitor.go("/log")

    page.get_by_role("button", name="Verify").click()

    expect(page.locator("#verdict")).to_contain_text("The log is as it was written.")
    visitor.close()
    assert visitor.complaints == []


def test_a_refusal_is_said_in_a_message(browser: Browser, own_stage: Stage) -> None:
    visitor = Visitor(browser, own_stage)
    page = visitor.go("/services/newsletter")

    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Deploy", exact=True).click()

    expect(page.locator(".toast")).to_contain_text("newsletter is on hold")
    visitor.close()


def test_a_phone_reaches_every_page_through_the_drawer(
    browser: Browser,
    stage: Stage,
) -> None:
    visitor = Visitor(browser, stage, width=PHONE)
    page = visitor.go("/")

    page.get_by_role("button", name="More").click()
    page.get_by_role("navigation", name="All pages").get_by_role("link", name="Log").click()

    page.wait_for_url("**/log")
    visitor.close()
    assert visitor.complaints == []


def test_the_keyboard_help_opens_with_a_question_mark(
    browser: Browser,
    stage: Stage,
) -> None:
    visitor = Visitor(browser, stage)
    page = visitor.go("/")

    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    visitor.close()
