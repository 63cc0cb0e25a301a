"""A canary in flight in a browser: understood, live, and steered."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.pages.conftest import DESK, PHONE, Stage, Visitor

pytestmark = pytest.mark.browser

PATIENCE = 30_000  # milliseconds: a page looks every two seconds, and a busy machine is late

DRAWN = """() => ["Evidence that it is worse", "Proof that it is not", "Errors"].every((name) =>
  document.querySelector(`[aria-label="${name}"] canvas`))"""


def opened(visitor: Visitor, name: str) -> Page:
    page = visitor.go(f"/deployments/{visitor.stage.scene[name]}")
    page.wait_for_function(DRAWN)
    return page


@pytest.mark.parametrize(("width", "theme"), [(DESK, "dark"), (PHONE, "light")])
def test_a_canary_is_readable_and_fits(
    browser: Browser, measured_stage: Stage, width: int, theme: str
) -> None:
    visitor = Visitor(browser, measured_stage, width=width, theme=theme)
    problems: list[str] = []
    for name in ("flying", "worse"):
        opened(visitor, name)
        problems += [f"{name}: {finding}" for finding in visitor.findings()]
        problems += [f"{name}: {visitor.overflow()} px too wide"] * (visitor.overflow() > 0)
    visitor.close()

    assert problems == []
    assert visitor.complaints == []


def test_the_evidence_is_drawn_read_by_keyboard_and_told_in_a_table(
    browser: Browser, measured_stage: Stage
) -> None:
    visitor = Visitor(browser, measured_stage)
    page = opened(visitor, "worse")
    card = page.get_by_role("region", name="Evidence that it is worse", exact=True)

    legend = card.locator("[data-legend] tbody tr")
    names = [row.get_by_role("button").inner_text() for row in legend.all()]
    card.locator("[data-plot]").press("End")
    expect(page.locator("#said")).to_contain_text("All together 100 %")
    card.get_by_role("button", name="as a table").click()
    expect(card.get_by_role("table")).to_contain_text("100 %")
    errors = page.get_by_role("region", name="Errors", exact=True).locator("[data-legend] tbody tr")
    both = [row.get_by_role("button").inner_text() for row in errors.all()]
    visitor.close()

    assert names[:2] == ["All together", "Errors"]
    assert both == ["v8", "v7"]
    assert visitor.complaints == []


def test_a_canary_is_paused_goes_on_and_moves_while_one_looks(
    browser: Browser, measured_stage: Stage
) -> None:
    visitor = Visitor(browser, measured_stage)
    page = opened(visitor, "flying")
    card = page.locator("#canary")

    expect(card.locator("[aria-current=step]")).to_contain_text("5 %")
    card.get_by_role("button", name="Pause").press("Enter")
    expect(card.get_by_role("heading")).to_have_text("Paused at 5 % by alice")
    card.get_by_role("button", name="Resume").click()
    expect(card.get_by_role("button", name="Pause")).to_be_visible()
    card.get_by_role("button", name="Promote now").click()
    expect(page.get_by_role("dialog")).to_contain_text("Give v9 all of the traffic now?")
    in_dialog = visitor.findings()
    page.keyboard.press("Escape")
    # Nobody loads the page again.
    measured_stage.say(f"judge {measured_stage.scene['flying']}")
    expect(card.locator("[aria-current=step]")).to_contain_text("25 %", timeout=PATIENCE)
    measured_stage.say(f"judge {measured_stage.scene['flying']}")
    expect(card.get_by_role("heading")).to_have_text(
        "Waits until somebody approves 50 %", timeout=PATIENCE
    )
    card.get_by_role("button", name="Approve step to 50 %").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve 50 %").click()
    expect(page.get_by_text("It may take its step to 50 %.")).to_be_visible()
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    visitor.close()

    assert in_dialog == []
    assert visitor.complaints == []
