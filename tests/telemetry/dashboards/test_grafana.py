"""Dashboards of Grafana, new and old, become sections that the descriptor takes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from steerway.app import descriptor
from steerway.telemetry.dashboards import queries
from steerway.telemetry.dashboards.cli import dashboard
from steerway.telemetry.dashboards.errors import NotADashboard, NothingToImport

HERE = Path(__file__).parent
HEAD = "steerway: 1\nservice: shop\nrun:\n  command: python -m shop\n"


def read(name: str) -> queries.Imported:
    return queries.read((HERE / name).read_text(), file=name)


def panel(name: str, title: str) -> dict[str, Any]:
    rows = read(name).section["rows"]
    return next(one for row in rows for one in row["panels"] if one["title"] == title)


def one_panel(**fields: Any) -> dict[str, Any]:
    target = {"expr": "up", "refId": "A"}
    base = {"title": "One", "type": "timeseries", "targets": [target]}
    text = json.dumps({"title": "T", "panels": [base | fields]})
    found: dict[str, Any] = queries.read(text, file="t").section["rows"][0]["panels"][0]
    return found


@pytest.mark.parametrize("name", ["grafana_11.json", "grafana_5.json"])
def test_what_is_printed_is_taken_by_the_descriptor(name: str) -> None:
    loaded = descriptor.load(HEAD + queries.text_of(read(name).section))

    assert len(loaded.settings.dashboard.panels) == sum(
        len(row["panels"]) for row in read(name).section["rows"]
    )


def test_panels_keep_their_rows_and_their_order() -> None:
    rows = read("grafana_11.json").section["rows"]

    assert [row.get("title", "") for row in rows] == ["", "Latency", "Saturation"]
    assert [one["title"] for one in rows[0]["panels"]] == ["Requests", "Error budget", "About"]
    assert [one["title"] for one in rows[2]["panels"]] == ["Memory", "Top endpoints"]


def test_a_stacked_plot_keeps_its_unit_queries_and_thresholds() -> None:
    assert panel("grafana_11.json", "Requests") == {
        "title": "Requests",
        "kind": "stack",
        "width": 6,
        "query": 'sum by (code) (rate(http_requests_total{job="shop",instance=~"${instance}"}'
        "[$__rate_interval]))",
        "legend": "{{code}}",
        "unit": "requests/s",
        "thresholds": [{"value": 80.0, "tone": "bad"}],
    }


def test_a_number_keeps_which_value_counts() -> None:
    found = panel("grafana_11.json", "Error budget")

    assert (found["kind"], found["reduce"], found["unit"]) == ("stat", "avg", "ratio")
    assert [one["tone"] for one in found["thresholds"]] == ["warn", "good"]


def test_a_text_keeps_its_words() -> None:
    assert panel("grafana_11.json", "About")["text"].startswith("Ask the shop team")


def test_variables_of_labels_and_of_lists_come_over_and_others_are_named() -> None:
    found = read("grafana_11.json")

    assert found.section["variables"] == [
        {
            "name": "instance",
            "title": "Replica",
            "label": "instance",
            "of": 'up{job="shop"}',
            "all": True,
        },
        {"name": "quantile", "values": ["0.5", "0.95", "0.99"], "default": "0.95"},
        {"name": "window", "values": ["1m", "5m", "30m"], "default": "5m"},
    ]
    assert "variable pods is left out: its kind (query) is not known here" in found.left_out


def test_what_is_left_out_is_said() -> None:
    left_out = read("grafana_11.json").left_out

    assert "panel 'Heat' is left out: its kind (heatmap) is not known here" in left_out
    assert "a query of panel 'Lines' is left out: it is not PromQL" in left_out
    assert "panel 'Lines' is left out: no query of it can be asked here" in left_out
    assert "a query of panel 'By pod' is left out: nothing fills in $pods" in left_out
    assert "annotations are left out: deployments are markers by themselves" in left_out


def test_the_old_model_of_rows_and_graphs_is_read_too() -> None:
    found = read("grafana_5.json").section

    assert [row["title"] for row in found["rows"]] == ["HTTP", "Host"]
    assert panel("grafana_5.json", "Latency") == {
        "title": "Latency",
        "kind": "area",
        "width": 6,
        "queries": [
            {
                "query": "histogram_quantile(0.5, sum by (le) "
                '(rate(latency_bucket{node="${node}"}[5m])))',
                "legend": "p50",
            },
            {
                "query": "histogram_quantile(0.99, sum by (le) "
                '(rate(latency_bucket{node="${node}"}[5m])))',
                "legend": "p99",
            },
        ],
        "unit": "seconds",
        "thresholds": [{"value": 0.5, "tone": "bad"}],
    }


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "line"),
        ({"fieldConfig": {"defaults": {"custom": {"fillOpacity": 20}}}}, "area"),
        ({"fieldConfig": {"defaults": {"custom": {"drawStyle": "bars"}}}}, "bar"),
        ({"fieldConfig": {"defaults": {"custom": {"stacking": {"mode": "normal"}}}}}, "stack"),
        ({"type": "gauge"}, "gauge"),
        ({"type": "table"}, "table"),
    ],
)
def test_a_panel_is_drawn_as_it_was(fields: dict[str, Any], kind: str) -> None:
    assert one_panel(**fields)["kind"] == kind


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "it is not JSON"),
        ("[]", "neither panels nor rows"),
        ('{"panels": [3]}', "not written as Grafana does"),
    ],
)
def test_another_file_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(NotADashboard, match=sentence):
        queries.read(text, file="t.json")


def test_a_dashboard_without_a_known_panel_is_refused_with_why() -> None:
    text = json.dumps({"panels": [{"title": "Map", "type": "geomap"}]})

    with pytest.raises(NothingToImport, match=r"its kind \(geomap\)"):
        queries.read(text, file="t.json")


def test_the_command_prints_the_section_and_says_what_it_left_out() -> None:
    result = CliRunner().invoke(dashboard, ["import", str(HERE / "grafana_11.json")])

    assert result.exit_code == 0
    assert result.stdout.startswith("dashboard:\n  title: Shop\n")
    assert "left out: panel 'Heat'" in result.stderr
