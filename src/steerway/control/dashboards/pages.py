"""A dashboard as a page."""

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render

from steerway.control.dashboards import queries
from steerway.planning.catalog import queries as catalog
from steerway.platform.web import ranges
from steerway.platform.web.request import SteerwayRequest
from steerway.telemetry import store
from steerway.telemetry.dashboards.descriptor import DashboardSection
from steerway.telemetry.dashboards.rules.showing import ALL, Shown, shown
from steerway.telemetry.store import Store, StoreDown

NAME_MAX: Final = 60
VALUE_MAX: Final = 200


def dashboard(request: SteerwayRequest, name: str) -> HttpResponse:
    """The panels that the service declares, for one environment."""
    request.work.allow("records.read")
    service = catalog.get(name)
    environment = catalog.environment(service, request.GET.get("environment", "")[:NAME_MAX])
    section = DashboardSection.stored(environment.resolved.get("dashboard", {}))
    range_ = ranges.of(request.GET, request.work.now)
    page = _chosen(section, request, name, environment.name)
    choices, why = queries.known(_store(), page.choices, start=range_.start, end=range_.end)
    # A variable whose first value only the store knows is filled in once it has said so.
    asked = {f"var-{one.name}": one.value for one in choices}
    page = shown(section, service=name, environment=environment.name, asked=asked)
    return render(
        request,
        "dashboards/dashboard.html",
        {
            "service": service,
            "environment": environment,
            "environments": catalog.environments(service),
            "page": page,
            "choices": choices,
            "everything": ALL,
            "why": why,
            "range": range_,
        },
    )


def _chosen(
    section: DashboardSection, request: SteerwayRequest, name: str, environment: str
) -> Shown:
    asked: dict[str, Any] = {key: value[:VALUE_MAX] for key, value in request.GET.items()}
    return shown(section, service=name, environment=environment, asked=asked)


def _store() -> Store | None:
    try:
        return store.current()
    except StoreDown:
        return None
