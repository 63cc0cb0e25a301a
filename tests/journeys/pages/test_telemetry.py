"""Charts, explore, hosts and dashboards in a browser, on what was measured."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.pages.conftest import DESK, PHONE, Stage, Visitor
from tests.platform.web.measured import TRACE

pytestmark = pytest.mark.browser

PAGES = (
    "/services/shop",
    "/services/shop/dashboard",
    "/services/newsletter/dashboard",
    "/hosts",
    "/hosts/desk",
    "/explore",
    "/explore?q=rate(router_requests_total[1m])",
    "/explore/logs?q=payment&service=shop&attr=order%3Do-7",
    "/explore/logs",
    "/explore/traces",
    f"/explore/traces/{TRACE}",
    "/explore/map",
)


WAITS = """() => ![...document.querySelectorAll("[data-said], .part")].some((one) => {
  const box = one.getBoundingClientRect();
  const isInSight = !one.hidden && box.top < innerHeight && box.bottom > 0;
  return isInSight && (one.matches(".part:empty") || one.textContent === "Looking…");
})"""


def settled(page: Page) -> None:
    """Until every part in sight has answered; what is further down is asked for later."""
    page.wait_for_function(WAITS)


@pytest.mark.parametrize(("width", "theme"), [(DESK, "dark"), (PHONE, "light")])
def test_pages_of_telemetry_are_readable_and_fit(
    browser: Browser, measured_stage: Stage, width: int, theme: str
) -> None:
    visitor = Visitor(browser, measured_stage, width=width, theme=theme)
    problems: list[str] = []
    for path in PAGES:
        page = visitor.go(path)
        settled(page)
        problems += [f"{path}: {finding}" for finding in visitor.findings()]
        problems += [f"{path}: {visitor.overflow()} px too wide"] * (visitor.overflow() > 0)
    visitor.close()

    assert problems == []
    assert visitor.complaints == []


def test_a_chart_is_drawn_named_and_told_in_a_table(
    browser: Browser, measured_stage: Stage
) -> None:
    visitor = Visitor(browser, measured_stage)
    page = visitor.go("/services/shop?since=6h")
    card = page.get_by_role("region", name="Traffic", exact=True)

    expect(card.get_by_role("row", name="v1.12")).to_contain_text("/s")
    inked = card.locator("canvas").evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
    )
    card.get_by_role("button", name="Traffic as a table").click()
    table = card.get_by_role("region", name="Traffic, numbers")
    expect(table.get_by_role("columnheader")).to_have_text(["Time (UTC)", "v1.11", "v1.12"])
    card.get_by_role("button", name="Traffic as a table").click()
    card.get_by_role("link", name=re.compile(r"v1\.12 in production")).click()

    page.wait_for_url(f"**/deployments/{measured_stage.scene['good']}")
    visitor.close()
    assert inked
    assert visitor.complaints == []


def test_a_chart_is_read_and_zoomed_by_keyboard(browser: Browser, measured_stage: Stage) -> None:
    visitor = Visitor(browser, measured_stage)
    page = visitor.go("/services/shop?since=1h")
    plot = page.get_by_role("region", name="Traffic", exact=True).locator("[data-plot]")
    expect(plot).to_have_attribute("aria-label", re.compile("v1.12"))

    plot.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#said")).to_have_text(re.compile(r"\d\d:\d\d:\d\d: .*v1\.12 [\d.]+/s"))
    # One crosshair for all charts of the page.
    other = page.get_by_role("region", name="Errors", exact=True).locator("[data-at]")
    expect(other).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    page.keyboard.press("Enter")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"from=.*&until="))
    expect(page.get_by_role("button", name="Live", exact=True)).not_to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("since=1h"))
    visitor.close()
    assert visitor.complaints == []


def test_dragging_over_a_chart_is_the_range_of_all(browser: Browser, measured_stage: Stage) -> None:
    visitor = Visitor(browser, measured_stage)
    page = visitor.go("/hosts/desk?since=2d")
    over = page.get_by_role("region", name="Memory", exact=True).locator(".u-over")
    expect(over).to_be_visible()
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None

    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60, steps=4)
    page.mouse.up()

    page.wait_for_url(re.compile(r"from=.*&until="))
    # The machine was not measured then: that is said, and no line is drawn.
    expect(page.get_by_role("region", name="Load", exact=True)).to_contain_text("No data")
    visitor.close()


def test_the_range_is_chosen_and_linkable(browser: Browser, measured_stage: Stage) -> None:
    visitor = Visitor(browser, measured_stage)
    page = visitor.go("/explore/logs?q=payment")

    page.locator("[data-range-open] summary").click()
    page.get_by_role("link", name="Last 15 minutes").click()
    expect(page).to_have_url(re.compile(r"q=payment&since=15m"))
    page.get_by_role("navigation", name="What to explore").get_by_role("link", name="Map").click()

    expect(page).to_have_url(re.compile(r"/explore/map\?since=15m"))
    visitor.close()
    assert visitor.complaints == []


def test_a_question_is_completed_and_answered(browser: Browser, measured_stage: Stage) -> None:
    visitor = Visitor(browser, measured_stage)
    page = visitor.go("/explore")
    editor = page.get_by_role("combobox", name="PromQL, question 1")

    editor.press_sequentially("router_req")
    expect(page.get_by_role("option", name=re.compile("^router_requests_total"))).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    expect(editor).to_have_value(re.compile("^router_request"))
    editor.fill('router_requests_total{code="')
    editor.press("End")
    page.keyboard.press("Control+Space")
    expect(page.get_by_role("option", name="404")).to_be_visible()
    page.get_by_role("option", name="404").click()
    editor.press_sequentially('"}')
    page.keyboard.press("Control+Enter")

    page.wait_for_url(re.compile(r"q=router_requests_total"))
    expect(page.get_by_role("region", name="Answer")).to_contain_text('code="404"')
    expect(page.get_by_role("region", name="Newest values").first).to_contain_text("v1.12")
    visitor.close()
    assert visitor.complaints == []


def test_a_mistake_is_shown_where_it_is(browser: Browser, measured_stage: Stage) -> None:
    visitor = Visitor(browser, measured_stage)
    page = visitor.go("/explore?q=sum(nonsense(up))")

    wrong = page.locator("[data-wrong]")
    expect(wrong).to_contain_text("unknown function with name 'nonsense'")
    expect(wrong.locator("mark")).to_have_text("n")
    expect(page.get_by_role("region", name="Answer")).not_to_be_visible()
    visitor.close()


def test_lines_are_found_opened_and_narrowed(browser: Browser, measured_stage: Stage) -> None:
    visitor = Visitor(browser, measured_stage)
    page = visitor.go("/explore/logs?since=1h")

    page.get_by_role("searchbox", name="Words").fill('"payment provider"')
    page.keyboard.press("Enter")
    line = page.locator(".log-lines > li").first
    expect(line).to_contain_text("checkout failed: payment provider answered 503")
    expect(page.locator(".histogram-head")).to_contain_text("lines")
    line.locator("summary").click()
    line.get_by_role("link", name="only these").first.click()

    chips = page.get_by_role("list", name="Narrowed by")
    expect(chips.get_by_role("listitem")).to_have_count(1)
    expect(page.locator(".log-lines > li")).to_have_count(1)
    expect(page).to_have_url(re.compile("since=1h"))
    visitor.close()
    assert visitor.complaints == []


def test_a_line_leads_to_its_trace(browser: Browser, measured_stage: Stage) -> None:
    visitor = Visitor(browser, measured_stage)
    page = visitor.go(f"/explore/logs?trace={TRACE}")

    page.locator(".log-lines summary").click()
    page.get_by_role("link", name="Trace", exact=True).click()

    page.wait_for_url(f"**/explore/traces/{TRACE}")
    expect(page.locator(".fall > li")).to_have_count(5)
    expect(page.get_by_role("heading", level=1)).to_contain_text("POST /checkout")
    visitor.close()
    assert visitor.complaints == []


def test_a_variable_of_a_dashboard_is_chosen(browser: Browser, measured_stage: Stage) -> None:
    visitor = Visitor(browser, measured_stage)
    page = visitor.go("/services/shop/dashboard?environment=production")
    card = page.get_by_role("region", name="By code", exact=True)
    expect(card.get_by_role("row", name="200")).to_be_visible()

    page.locator("select[name=var-code]").select_option("404")

    page.wait_for_url(re.compile("var-code=404"))
    expect(card.get_by_role("row", name="404")).to_be_visible()
    expect(card.get_by_role("row", name="200")).to_have_count(0)
    visitor.close()
    assert visitor.complaints == []


def test_a_chart_says_calmly_that_the_store_is_not_there(browser: Browser, stage: Stage) -> None:
    visitor = Visitor(browser, stage)
    page = visitor.go("/services/shop")

    said = page.get_by_role("region", name="Traffic", exact=True).locator("[data-said]")
    expect(said).to_have_text("Telemetry is starting. Try again in a moment.")
    expect(said).to_have_attribute("data-kind", "calm")
    visitor.close()
    assert visitor.complaints == []


ABOUT = """async (cases) => {
  const { context, placeOf } = await import("/static/js/explore/promql.js");
  const at = cases.contexts.map((text) => {
    const found = context(text, text.length);
    return [found.kind, found.typed, found.metric ?? found.label ?? ""];
  });
  return [at, cases.mistakes.map(([text, words]) => placeOf(text, words))];
}"""


def test_the_editor_knows_what_is_being_typed_and_where_a_mistake_is(
    browser: Browser, bare_stage: Stage
) -> None:
    visitor = Visitor(browser, bare_stage)
    page = visitor.go("/log")
    contexts = {
        "rou": ["name", "rou", ""],
        "sum by (ver": ["label", "ver", ""],
        "up{": ["label", "", "up"],
        'up{job="a", inst': ["label", "inst", "up"],
        'up{job="a': ["value", "a", "up"],
        'up{job=~"': ["value", "", "up"],
        "rate(up[5": ["span", "5", ""],
        'up{job="a"} + ra': ["name", "ra", ""],
        'label_replace(up, "a': ["", "", ""],
    }
    mistakes = {
        ("rate(foo[5m)", "unexpected character inside brackets: ')'"): 11,
        ("sum by (x (foo)", "unclosed left parenthesis"): 7,
        ("nofn(foo)", "unknown function with name 'nofn'"): 0,
        ("up{", "unexpected end of input inside braces"): 2,
        ("foo{a=}", "invalid promql query"): 6,
        ("up", "something else"): -1,
    }

    asked = {"contexts": list(contexts), "mistakes": [list(one) for one in mistakes]}
    found = page.evaluate(ABOUT, asked)

    visitor.close()
    assert found == [list(contexts.values()), list(mistakes.values())]


UNITS = """async (cases) => {
  const { written } = await import("/static/js/charts/units.js");
  const { stacked, frame } = await import("/static/js/charts/frames.js");
  const grid = { start: 0, end: 30, step: 10 };
  const one = { metric: { version: "v1" }, values: [[0, "1"], [20, "NaN"], [30, "4"]] };
  const found = frame([{ series: [one], grid }], [{ text: "up", legend: "{{version}}" }]);
  const piled = stacked([{ values: [1, null, null] }, { values: [2, 3, null] }]);
  return [cases.map(([unit, value]) => written(unit, value)), found.series[0].values, piled];
}"""


def test_numbers_are_written_in_their_unit_and_gaps_stay_gaps(
    browser: Browser, bare_stage: Stage
) -> None:
    visitor = Visitor(browser, bare_stage)
    page = visitor.go("/log")
    cases = {
        ("requests/s", 1284.4): "1284/s",
        ("ratio", 0.0062): "0.62 %",
        ("seconds", 0.0468): "46.8 ms",
        ("seconds", 90): "1.5 min",
        ("bytes", 1536): "1.5 kB",
        ("bytes/s", 0): "0 B/s",
        ("cores", 0.0072): "7.2 mcores",
        ("", 1234567): "1.23M",
        ("beans", 3): "3 beans",
        ("", None): "\N{EN DASH}",
    }

    texts, values, piled = page.evaluate(UNITS, [list(case) for case in cases])

    visitor.close()
    assert texts == list(cases.values())
    assert values == [1, None, None, 4]
    assert piled == [[1, 0, None], [3, 3, None]]
