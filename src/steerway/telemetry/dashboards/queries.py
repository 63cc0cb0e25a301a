"""A dashboard of Grafana, read."""

import json
from typing import Any

import yaml
from pydantic import ValidationError

from steerway.telemetry.dashboards.descriptor import DashboardSection
from steerway.telemetry.dashboards.errors import NotADashboard, NothingToImport
from steerway.telemetry.dashboards.rules.grafana import Imported, imported


def read(text: str, *, file: str) -> Imported:
    """What of a dashboard of Grafana can be shown here, as a section that is valid.

    Raises:
        NotADashboard: the text is something else.
        NothingToImport: no panel of it can be shown here.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise NotADashboard(file=file, why="it is not JSON") from error
    # The API of Grafana wraps it.
    dashboard = found.get("dashboard", found) if isinstance(found, dict) else found
    if not isinstance(dashboard, dict) or not {"panels", "rows"} & set(dashboard):
        raise NotADashboard(file=file, why="it has neither panels nor rows")
    try:
        result = imported(dashboard)
    except (AttributeError, TypeError, KeyError) as error:
        raise NotADashboard(file=file, why="its panels are not written as Grafana does") from error
    if not result.section["rows"]:
        raise NothingToImport(file=file, why="; ".join(result.left_out) or "it has no panel")
    try:
        DashboardSection.stored(result.section)
    except ValidationError as error:
        raise NothingToImport(file=file, why=error.errors()[0]["msg"]) from error
    return result


def text_of(section: dict[str, Any]) -> str:
    """The section as it is written in a descriptor."""
    return yaml.safe_dump({"dashboard": section}, sort_keys=False, allow_unicode=True, width=100)
