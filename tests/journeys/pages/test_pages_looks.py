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
    "/changes",
    "/changes/CHG-1",
    "/log",
    "/log?service=nothing",
    "/log/7",
    "/settings",
    "/account",
    "/people",
)
BARE_PAGES = ("/", "/services", "/deployments", "/releases", "/changes", "/log")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
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
