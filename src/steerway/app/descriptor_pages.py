"""The descriptor in force on a page: each value with the line that it comes from."""

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render

from steerway.app import descriptor
from steerway.planning.catalog import queries as catalog
from steerway.platform.descriptor.explaining import explain
from steerway.platform.web.request import SteerwayRequest

NAME_MAX: Final = 60


def show(request: SteerwayRequest, name: str) -> HttpResponse:
    """Every value in force in one environment; secrets by their name only."""
    service = catalog.get(name)
    environment = catalog.environment(service, request.GET.get("environment", "")[:NAME_MAX])
    rows = explain(descriptor.load(service.text, service.file), environment.name)
    return render(
        request,
        "catalog/descriptor.html",
        {
            "service": service,
            "environment": environment,
            "environments": catalog.environments(service),
            "rows": rows,
            "explain": f"steerway explain {name} --env {environment.name}",
            "written": sum(row.origin != "default" for row in rows),
        },
    )
