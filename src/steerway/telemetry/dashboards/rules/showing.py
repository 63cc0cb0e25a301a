"""A dashboard as it is shown: its variables chosen, its questions filled in. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from steerway.platform.web.charts import Chart, Query, Threshold
from steerway.telemetry.dashboards.descriptor import (
    VARIABLE,
    DashboardSection,
    PanelSection,
    VariableSection,
)

ALL: Final = "$__all"
EVERYTHING: Final = ".*"
# What a script fills in, who knows the steps of the chart.
LATER: Final = frozenset({"__rate_interval", "__interval", "__range"})


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable on the page, with what is chosen."""

    name: str
    title: str
    value: str
    values: tuple[str, ...]
    label: str
    of: str
    has_all: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel, ready to be shown."""

    kind: str
    title: str
    width: int
    chart: Chart | None = None
    search: str = ""
    paragraphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Panels below a title."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """The whole dashboard."""

    title: str
    choices: tuple[Choice, ...]
    rows: tuple[Row, ...]


def shown(
    section: DashboardSection, *, service: str, environment: str, asked: Mapping[str, str]
) -> Shown:
    """The dashboard with the values that an address asks for, as `var-name`."""
    values = {"service": service, "environment": environment}
    choices = []
    for variable in section.variables:
        choice = _choice(variable, asked.get(f"var-{variable.name}"), values)
        choices.append(choice)
        values[variable.name] = choice.value
    rows = tuple(
        Row(row.title, tuple(_panel(panel, values) for panel in row.panels)) for row in section.rows
    )
    return Shown(section.title or service, tuple(choices), rows)


def _choice(variable: VariableSection, asked: str | None, known: Mapping[str, str]) -> Choice:
    first = ALL if variable.all else variable.values[0] if variable.values else ""
    value = asked if asked is not None else variable.default or first
    if variable.values and value not in {*variable.values, ALL if variable.all else ""}:
        value = variable.default or first
    return Choice(
        name=variable.name,
        title=variable.title or variable.name,
        value=value,
        values=variable.values,
        label=variable.label,
        of=filled(variable.of, known),
        has_all=variable.all,
    )


def _panel(panel: PanelSection, values: Mapping[str, str]) -> Panel:
    if panel.kind == "text":
        paragraphs = tuple(part.strip() for part in panel.text.split("\n\n") if part.strip())
        return Panel(panel.kind, panel.title, panel.width, paragraphs=paragraphs)
    if panel.kind == "logs":
        return Panel(panel.kind, panel.title, panel.width, search=filled(panel.query, values))
    chart = Chart(
        title=panel.title,
        queries=tuple(Query(filled(one.query, values), one.legend) for one in panel.questions),
        kind=panel.kind,
        unit=panel.unit,
        thresholds=tuple(Threshold(one.value, one.tone, one.words) for one in panel.thresholds),
        reduce=panel.reduce,
        bottom=panel.min,
        top=panel.max,
    )
    return Panel(panel.kind, panel.title, panel.width, chart)


def filled(query: str, values: Mapping[str, str]) -> str:
    """A query with its variables; a value ends no string that it stands in."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name in LATER:
            return f"${name}"
        found = values.get(name)
        if found is None:
            return match[0]
        return EVERYTHING if found == ALL else found.replace("\\", r"\\").replace('"', r"\"")

    return VARIABLE.sub(value, query)
