"""Collectors over HTTP."""

from django.conf import settings
from django.utils.module_loading import import_string
from ninja import Router

from steerway.platform.web.request import SteerwayRequest
from steerway.telemetry.collectors import actions, queries
from steerway.telemetry.collectors.wire import CollectorOut, CollectorPauseIn

router = Router(tags=["telemetry"])


@router.get("", response=list[CollectorOut])
def all(request: SteerwayRequest) -> list[CollectorOut]:
    """Every collector, what it saw the last time, and whether it is paused."""
    board = import_string(settings.STEERWAY_BOARD)
    return [CollectorOut.of(one) for one in queries.all(board)]


@router.put("/{name}/pause", response={204: None})
def pause(request: SteerwayRequest, name: str, body: CollectorPauseIn) -> None:
    """Let a collector not look; what it looks at turns stale."""
    actions.pause(request.work, name, reason=body.reason)


@router.delete("/{name}/pause", response={204: None})
def resume(request: SteerwayRequest, name: str) -> None:
    """Let a collector look again."""
    actions.resume(request.work, name)
