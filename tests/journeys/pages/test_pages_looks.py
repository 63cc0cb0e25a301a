"""Every page, in both themes and at both widths: readable, quiet, and no wider than the window."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.pages.conftest import DESK, PHONE, Stage, Visitor

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/services",
    "/services/shop",
    "/services/inbox",
    "/services/newsletter",
    "/services/pictures",
    "/services/shop/descriptor",
    "/deployments",
    "/deployments/{running}",
    "/deployments/{failed}",
    "/deployments/{good}",
    "/releases",
    "/releases/{release}",
    "/flags",
    "/flags/shop/new-checkout",
    "/flags/shop/roast-map",
    "/flags/shop/search-ranking",
    "/changes",
    "/changes/CHG-1",
    "/log",
    "/log?service=nothing",
    "/log/7",
    "/settings",
    "/account",
    "/account/password/set",
    "/people",
    "/device",
)
STRANGERS_PAGES = ("/account/login", "/link/spent")
BARE_PAGES = ("/", "/services", "/deployments", "/releases", "/flags", "/changes", "/log")


# Colours depend on the theme alone, and room on the width: two looks see all of both.
@pytest.mark.parametrize(("width", "theme"), [(DESK, "dark"), (PHONE, "light")])
def test_every_page_is_readable_and_fits(
    browser: Browser,
    stage: Stage,
    width: int,
    theme: str,
) -> None:
    visitor = Visitor(browser, stage, width=width, theme=theme)
    problems: list[str] = []
    for path in PAGES:
        visitor.go(path.format(**stage.scene))
        problems += [f"{path}: {finding}" for finding in visitor.findings()]
        problems += [f"{path}: {visitor.overflow()} px too wide"] * (visitor.overflow() > 0)
    visitor.close()

    assert problems == []
    assert visitor.complaints == []


@pytest.mark.parametrize(("width", "theme"), [(DESK, "light"), (PHONE, "dark")])
def test_what_a_stranger_sees_is_readable_and_fits(
    browser: Browser,
    stage: Stage,
    width: int,
    theme: str,
) -> None:
    visitor = Visitor(browser, stage, width=width, theme=theme)
    visitor.page.context.clear_cookies()
    problems: list[str] = []
    for path in STRANGERS_PAGES:
        visitor.go(path)
        problems += [f"{path}: {finding}" for finding in visitor.findings()]
        problems += [f"{path}: {visitor.overflow()} px too wide"] * (visitor.overflow() > 0)
    visitor.close()

    assert problems == []


def test_an_app_can_be_set_up_in_the_dark(browser: Browser, own_stage: Stage) -> None:
    visitor = Visitor(browser, own_stage, width=PHONE, theme="dark")
    page = visitor.go("/account/2fa/app")

    picture = page.locator("img.qr")
    paper = picture.evaluate("element => getComputedStyle(element).backgroundColor")
    findings = visitor.findings()
    visitor.close()

    assert paper in {"oklch(1 0 0)", "rgb(255, 255, 255)"}
    assert findings == []
    assert visitor.complaints == []


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_empty_pages_are_readable_and_fit(
    browser: Browser,
    bare_stage: Stage,
    width: int,
) -> None:
    visitor = Visitor(browser, bare_stage, width=width, theme="dark")
    problems: list[str] = []
    for path in BARE_PAGES:
        visitor.go(path)
        problems += [f"{path}: {finding}" for finding in visitor.findings()]
        problems += [f"{path}: {visitor.overflow()} px too wide"] * (visitor.overflow() > 0)
    visitor.close()

    assert problems == []
    assert visitor.complaints == []


def test_an_open_dialog_and_the_palette_are_readable(
    browser: Browser,
    stage: Stage,
) -> None:
    visitor = Visitor(browser, stage, theme="dark")
    page = visitor.go("/services/shop")

    page.get_by_role("button", name="Deploy", exact=True).click()
    in_dialog = visitor.findings()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_role("option").first.wait_for()
    in_palette = visitor.findings()
    visitor.close()

    assert in_dialog == []
    assert in_palette == []
    assert visitor.complaints == []
