"""What stands below the charts of a service, part by part."""

from typing import Any, Final

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
    found = queries.endpoints(store.current(), **_asked(request, name))
    return render(request, "signals/endpoints.html", {"rows": found})


@part
def slowest(request: SteerwayRequest, name: str) -> HttpResponse:
    """The requests that took longest."""
    found = queries.slowest(store.current(), **_asked(request, name))
    return render(request, "signals/slowest.html", {"rows": found})


@part
def errors(request: SteerwayRequest, name: str) -> HttpResponse:
    """The newest lines with errors."""
    found = queries.errors(store.current(), **_asked(request, name))
    return render(request, "signals/errors.html", {"rows": found})


def _asked(request: SteerwayRequest, name: str) -> dict[str, Any]:
    wanted = request.GET.get("environment", "")[:NAME_MAX]
    environment = catalog.environment(catalog.get(name), wanted)
    asked = ranges.of(request.GET, request.work.now)
    return {
        "service": name,
        "environment": environment.name,
        "start": asked.start,
        "end": asked.end,
    }
