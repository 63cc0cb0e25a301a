"""Traffic over HTTP."""

from django.conf import settings
from django.utils.module_loading import import_string
from ninja import Router

from steerway.control.traffic import queries
from steerway.control.traffic.wire import TrafficOut
from steerway.planning.catalog import queries as catalog
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["services"])


@router.get("/{service}/traffic", response=TrafficOut)
def traffic(request: SteerwayRequest, service: str) -> TrafficOut:
    """Requests a second and the failed share of the last five minutes, by version.

    They are live only, and those that this server saw.
    """
    catalog.get(service)
    window = import_string(settings.STEERWAY_TRAFFIC)
    return TrafficOut.of(queries.traffic(window, service, now=request.work.now))
