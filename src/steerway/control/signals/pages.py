"""What stands below the charts of a service, part by part."""

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render

from steerway.control.coverage import queries as grids
from steerway.control.signals import queries
from steerway.planning.catalog import queries as catalog
from steerway.platform.web import ranges
from steerway.platform.web.parts import part
from steerway.platform.web.request import SteerwayRequest
from steerway.telemetry import store
from steerway.telemetry.explore.rules.bars import few

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
    rows = [(line, few(line.attributes)) for line in found]
    return render(request, "signals/errors.html", {"rows": rows})


@part
def coverage(request: SteerwayRequest, name: str) -> HttpResponse:
    """Which layer is seen by which signal, at this moment."""
    environment = _environment(request, name)
    found = grids.grids(store.current(), [name], now=request.work.now)
    grid = next((one for one in found if one.place.environment == environment), None)
    return render(request, "signals/coverage.html", {"grid": grid})


def _environment(request: SteerwayRequest, name: str) -> str:
    wanted = request.GET.get("environment", "")[:NAME_MAX]
    return catalog.environment(catalog.get(name), wanted).name


def _asked(request: SteerwayRequest, name: str) -> dict[str, Any]:
    asked = ranges.of(request.GET, request.work.now)
    return {
        "service": name,
        "environment": _environment(request, name),
        "start": asked.start,
        "end": asked.end,
    }
