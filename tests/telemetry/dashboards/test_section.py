"""The `dashboard` section: what it refuses, and how its variables are filled in."""

import pytest

from steerway.app import descriptor
from steerway.platform.descriptor.errors import DescriptorInvalid
from steerway.telemetry.dashboards.descriptor import DashboardSection
from steerway.telemetry.dashboards.rules.showing import Shown, filled, shown

HEAD = "steerway: 1\nservice: shop\nrun:\n  command: python -m shop\ndashboard:\n"
PANEL = "  rows:\n    - panels:\n        - "


def section(text: str) -> DashboardSection:
    return descriptor.load(HEAD + text).settings.dashboard


def page(text: str, **asked: str) -> Shown:
    names = {f"var-{name}": value for name, value in asked.items()}
    return shown(section(text), service="shop", environment="production", asked=names)


CODES = """  variables:
    - {name: code, values: ["200", "500"], all: true}
    - {name: path, label: path, of: 'up{service="$service"}'}
  rows:
    - title: Requests
      panels:
        - {title: By code, query: 'rate(r{service="$service",code=~"$code"}[$__rate_interval])'}
        - {title: Words, kind: text, text: "One.\\n\\nTwo."}
"""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{PANEL}{{title: A}}", "needs either `query` or `queries`"),
        (f"{PANEL}{{title: A, kind: text}}", "it needs `text` and no query"),
        (f"{PANEL}{{title: A, query: up, text: x}}", "has `text`, but its kind is line"),
        (f"{PANEL}{{title: A, query: 'up == $x'}}", "uses \\$x, which is no variable here"),
        (f"{PANEL}{{title: A, kind: pie, query: up}}", "kind"),
        (
            f"{PANEL}{{title: A, query: up, thresholds: [{{value: 2}}, {{value: 1}}]}}",
            "must rise",
        ),
        ("  variables: [{name: code}]", "needs either `values` or `label`"),
        ("  variables: [{name: service, values: [a]}]", "filled in by Steerway"),
        ("  variables: [{name: a, values: [a]}, {name: a, values: [b]}]", "declared twice"),
    ],
)
def test_a_mistake_is_named(text: str, sentence: str) -> None:
    with pytest.raises(DescriptorInvalid, match=sentence):
        section(text)


def test_what_is_chosen_stands_in_the_queries() -> None:
    panel = page(CODES, code="500").rows[0].panels[0]

    assert panel.chart is not None
    assert panel.chart.queries[0].text == ('rate(r{service="shop",code=~"500"}[$__rate_interval])')


def test_everything_is_chosen_at_first_where_that_is_possible() -> None:
    found = page(CODES)

    assert found.rows[0].panels[0].chart is not None
    assert 'code=~".*"' in found.rows[0].panels[0].chart.queries[0].text
    assert found.choices[1].of == 'up{service="shop"}'


def test_a_value_that_is_no_choice_is_not_asked() -> None:
    assert page(CODES, code="600").choices[0].value == "$__all"


def test_a_text_has_paragraphs() -> None:
    assert page(CODES).rows[0].panels[1].paragraphs == ("One.", "Two.")


def test_a_value_ends_no_string() -> None:
    assert filled('up{a="$x"}', {"x": 'b"} or vector(1) #\\'}) == (r'up{a="b\"} or vector(1) #\\"}')


def test_a_dashboard_does_not_change_what_a_release_is_started_with() -> None:
    plain = descriptor.load(HEAD.removesuffix("dashboard:\n"))

    assert descriptor.load(HEAD + CODES).environments[0].digest == plain.environments[0].digest
