"""What stands below the charts of a service, part by part."""

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render

from steerway.control.signals import queries
from steerway.planning.catalog import queries as catalog
from steerway.platform.web import ranges
from steerway.platform.web.parts import part
from steerway.platform.web.request import SteerwayRequest
from steerway.telemetry import store

NAME_MAX: Final = 60


@part
def endpoints(request: SteerwayRequest, name: str) -> HttpResponse:
    """The most asked endpoints of the service in one environment."""
    environment = catalog.environment(catalog.get(name), _environment(request))
    asked = ranges.of(request.GET, request.work.now)
    found = queries.endpoints(
        store.current(),
        service=name,
        environment=environment.name,
        start=asked.start,
        end=asked.end,
    )
    return render(request, "signals/endpoints.html", {"rows": found})


def _environment(request: SteerwayRequest) -> str:
    return request.GET.get("environment", "")[:NAME_MAX]
