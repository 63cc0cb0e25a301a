"""Hosts on pages: the list, and one with its charts and what runs on it."""

from django.http import HttpResponse
from django.shortcuts import render

from steerway.control.hosts import queries, rules
from steerway.platform.web import ranges
from steerway.platform.web.parts import part
from steerway.platform.web.request import SteerwayRequest
from steerway.telemetry import store


def hosts(request: SteerwayRequest) -> HttpResponse:
    """The page; its list is fetched by itself, so that it is there without the store."""
    request.work.allow("records.read")
    return render(request, "hosts/list.html", {})


@part
def rows(request: SteerwayRequest) -> HttpResponse:
    """Every machine that was heard of."""
    found = queries.hosts(store.current(), now=request.work.now)
    return render(request, "hosts/rows.html", {"rows": [(one, _tones(one)) for one in found]})


def host(request: SteerwayRequest, name: str) -> HttpResponse:
    """One machine: charts, and the parts below them."""
    request.work.allow("records.read")
    return render(
        request,
        "hosts/detail.html",
        {
            "name": name,
            "charts": rules.charts(name),
            "range": ranges.of(request.GET, request.work.now),
        },
    )


@part
def facts(request: SteerwayRequest, name: str) -> HttpResponse:
    """How it is now."""
    found = queries.host(store.current(), name, now=request.work.now)
    return render(request, "hosts/facts.html", {"host": found, "tones": _tones(found)})


@part
def file_systems(request: SteerwayRequest, name: str) -> HttpResponse:
    """What is mounted."""
    found = queries.file_systems(store.current(), name, now=request.work.now)
    return render(request, "hosts/file_systems.html", {"rows": found})


@part
def certificates(request: SteerwayRequest, name: str) -> HttpResponse:
    """Certificates and their ends."""
    found = queries.certificates(store.current(), now=request.work.now)
    return render(request, "hosts/certificates.html", {"rows": found})


@part
def processes(request: SteerwayRequest, name: str) -> HttpResponse:
    """Replicas, and what they take."""
    found = queries.processes(store.current(), now=request.work.now)
    return render(request, "hosts/processes.html", {"rows": found})


def _tones(one: rules.Host) -> dict[str, str]:
    ratios = {"cpu": one.cpu_ratio, "memory": one.memory_ratio, "disk": one.fullest_ratio}
    return {name: rules.tone_of(ratio) for name, ratio in ratios.items()}
