"""The first page: what needs me now."""

from typing import Final

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from steerway.control.bridge import queries
from steerway.control.installation import queries as installation
from steerway.control.services import queries as services
from steerway.delivery.deployments import queries as deployments
from steerway.planning.catalog import queries as catalog
from steerway.platform.log import queries as log
from steerway.platform.log.queries import Filter
from steerway.platform.web.request import SteerwayRequest

SERVICES_SHOWN: Final = 20
EVENTS_SHOWN: Final = 10


def bridge(request: SteerwayRequest) -> HttpResponse:
    """What needs somebody, what is on its way, services at a glance, what just happened."""
    port = settings.STEERWAY.router_port
    troubled = services.troubled(rows=queries.NEEDS_MAX, router_port=port)
    needs = queries.needs(troubled, installation.parts(settings.STEERWAY))
    # What is in trouble is shown whatever its name; the rest by name as far as there is room.
    ill = {one.service.name for one in troubled}
    calm = [
        one
        for one in services.overviews(rows=SERVICES_SHOWN, router_port=port)
        if one.service.name not in ill
    ]
    return render(
        request,
        "bridge/bridge.html",
        {
            "needs": needs,
            "urgent": sum(need.tone == "bad" for need in needs),
            "flights": deployments.running(),
            "rows": [*troubled, *calm][:SERVICES_SHOWN],
            "count": catalog.count(),
            "events": log.newest(Filter(), rows=EVENTS_SHOWN),
        },
    )
