"""Releases on pages: what was built."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from steerway.delivery.releases import queries
from steerway.delivery.releases.models import Release
from steerway.platform.web import paging
from steerway.platform.web.request import SteerwayRequest

NAME_MAX = 60


def releases(request: SteerwayRequest) -> HttpResponse:
    """Releases of all services, newest first."""
    service = request.GET.get("service", "")[:NAME_MAX].strip()

    def read(before: str, rows: int) -> list[Release]:
        return queries.newest(service=service, before=_id(before), rows=rows)

    context = paging.page(request, read, lambda release: release.id)
    return render(request, "releases/list.html", context | {"service": service})


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
