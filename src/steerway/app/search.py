"""Jump to anything: services, deployments, changes and pages, by what people type."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from steerway.app.shell import places
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.deployments.errors import DeploymentUnknown
from steerway.planning.catalog import queries as catalog
from steerway.planning.changes import queries as changes
from steerway.planning.changes.errors import ChangeUnknown
from steerway.platform.web.request import SteerwayRequest

HITS_MAX: Final = 20
EACH_MAX: Final = 8
TYPED_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Hit:
    """One place to go to."""

    group: str
    icon: str
    name: str
    detail: str
    url: str


def search(request: SteerwayRequest) -> HttpResponse:
    """What matches `q`, at most twenty, as the palette shows it."""
    typed = request.GET.get("q", "")[:TYPED_MAX].strip()
    hits = list(islice(_hits(request, typed), HITS_MAX))
    return render(request, "web/hits.html", {"hits": hits, "typed": typed})


def _hits(request: SteerwayRequest, typed: str) -> Iterator[Hit]:
    yield from _by_number(typed)
    yield from _services(typed.lower())
    for place in places(request.work.actor, ""):
        if typed.lower() in place.name.lower():
            yield Hit("Pages", place.icon, place.name, "", place.url)
    yield from _recent(typed.lower())


def _by_number(typed: str) -> Iterator[Hit]:
    """DEP-12, CHG-7, or a bare number of either."""
    prefix = typed.upper().partition("-")[0]
    if not typed[-1:].isdecimal() or prefix not in {"DEP", "CHG"} | {typed}:
        return
    if prefix != "CHG":
        try:
            found = deployments.get(typed)
        except DeploymentUnknown:
            pass
        else:
            detail = f"{found.service} {found.version} in {found.environment}, {found.state}"
            url = reverse("deployments:detail", args=[found.ref])
            yield Hit("By number", "deployments", found.ref, detail, url)
    if prefix != "DEP":
        try:
            change = changes.get(typed)
        except ChangeUnknown:
            return
        url = reverse("changes:detail", args=[change.ref])
        yield Hit("By number", "changes", change.ref, change.summary, url)


def _services(typed: str) -> Iterator[Hit]:
    for service in catalog.all(containing=typed, rows=EACH_MAX):
        url = reverse("services:detail", args=[service.name])
        yield Hit("Services", "services", service.name, service.description[:TYPED_MAX], url)


def _recent(typed: str) -> Iterator[Hit]:
    """The newest deployments, of the service typed if it is one."""
    for found in deployments.newest(service=typed, rows=EACH_MAX):
        detail = f"{found.service} {found.version} in {found.environment}"
        url = reverse("deployments:detail", args=[found.ref])
        yield Hit("Deployments", "deployments", found.ref, detail, url)
