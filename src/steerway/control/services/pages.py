"""Services on pages: the list, one with its environments side by side, and one of its releases."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from steerway.control.services import queries
from steerway.control.services.errors import PauseUnexplained
from steerway.control.services.queries import Overview
from steerway.control.services.rules import TROUBLE, Lane
from steerway.control.signals import rules as signals
from steerway.control.signals.rules import Place
from steerway.delivery.builds import queries as builds
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.releases import queries as releases
from steerway.delivery.releases.models import Release
from steerway.delivery.runtimes import queries as runtimes
from steerway.delivery.runtimes.descriptor import LimitsSection
from steerway.planning.catalog import actions as catalog_actions
from steerway.planning.catalog import queries as catalog
from steerway.planning.catalog.models import Environment
from steerway.planning.changes import queries as changes
from steerway.platform.log import queries as log
from steerway.platform.log.queries import Filter
from steerway.platform.web import paging, ranges
from steerway.platform.web.request import SteerwayRequest

DEPLOYMENTS_SHOWN: Final = 8
CHANGES_SHOWN: Final = 6
EVENTS_SHOWN: Final = 12
LINES_SHOWN: Final = 6
PRINTED_BYTES: Final = 4_000
NAME_MAX: Final = 40
BUILD_LINES_SHOWN: Final = 400
FILES_SHOWN: Final = 200
SHORT: Final = 12  # characters of a commit that are enough to name it


class ReasonForm(forms.Form):
    """Why somebody puts the brake on."""

    reason = forms.CharField(max_length=500)


def services(request: SteerwayRequest) -> HttpResponse:
    """Services by name, each with what serves where."""
    find = request.GET.get("q", "")[:NAME_MAX].strip().lower()

    def read(after: str, rows: int) -> list[Overview]:
        return queries.overviews(
            after=after, containing=find, rows=rows, router_port=settings.STEERWAY.router_port
        )

    context = paging.page(request, read, lambda one: one.service.name, name="after")
    return render(
        request,
        "services/list.html",
        context | {"find": find, "count": catalog.count()},
    )


def service(request: SteerwayRequest, name: str) -> HttpResponse:
    """One service: its environments side by side, and what was done to it."""
    found = queries.overview(name, router_port=settings.STEERWAY.router_port)
    environments = catalog.environments(found.service)
    resolved = environments[-1:]
    return render(
        request,
        "services/detail.html",
        {
            "service": found.service,
            "lanes": found.lanes,
            "lanes_with_lines": [(lane, *_last_lines(lane)) for lane in found.lanes],
            "state": found.state,
            **_signals(request, name, environments),
            "holds": found.holds,
            "default_ref": resolved[0].resolved.get("source", {}).get("ref") if resolved else "",
            "first_command": f"steerway deploy {name}",
            "rows": deployments.newest(service=name, rows=DEPLOYMENTS_SHOWN),
            "changes": changes.newest(service=name, rows=CHANGES_SHOWN),
            "events": log.newest(Filter(service=name), rows=EVENTS_SHOWN),
        },
    )


def _signals(request: SteerwayRequest, name: str, declared: list[Environment]) -> dict[str, Any]:
    """The charts of the environment that was asked for; of the last one, usually production."""
    asked = request.GET.get("environment", "")
    chosen = next(
        (one for one in declared if one.name == asked), declared[-1] if declared else None
    )
    if chosen is None:
        return {}
    run = chosen.resolved.get("run", {})
    limits = LimitsSection.stored(run.get("limits", {}))
    is_routed = run.get("port") != "none"
    place = Place(name, chosen.name, memory_bytes=limits.memory, cpus=limits.cpus)
    return {
        "place": place,
        "has_dashboard": bool(chosen.resolved.get("dashboard", {}).get("rows")),
        # What serves nothing has no traffic, and a chart of it would always be empty.
        "charts": signals.charts(place) if is_routed else signals.saturation(place),
        "is_routed": is_routed,
        "range": ranges.of(request.GET, request.work.now),
    }


def release(request: SteerwayRequest, release_id: UUID) -> HttpResponse:
    """One release: what was built, from what, and where it runs."""
    found = releases.get(release_id)
    deployed = deployments.of_release(found.id)
    files = releases.files(settings.STEERWAY.home, found)
    return render(
        request,
        "services/release.html",
        {
            "release": found,
            "rows": deployed,
            "places": [d for d in deployed if d.serves],
            "build_log": _log_of(found),
            "files": files[:FILES_SHOWN],
            "files_count": len(files),
            "return_command": f"steerway deploy {found.service} --ref {found.commit[:SHORT]}",
        },
    )


def _log_of(release: Release) -> list[str]:
    """The log of the build that made a release, its end."""
    made = (b for b in builds.history(release.service) if b.release == release)
    build = next(made, None)
    text = builds.log(settings.STEERWAY.home, build.id) if build else ""
    return text.splitlines()[-BUILD_LINES_SHOWN:]


def _last_lines(lane: Lane) -> tuple[str, list[str]]:
    """A replica that is not at work, and what it printed last; empty when all are."""
    ill = [one.name for one in lane.replicas if not one.is_up] if lane.state in TROUBLE else []
    replica = runtimes.by_program(ill[0]) if ill else None
    if replica is None:
        return "", []
    printed = runtimes.printed(settings.STEERWAY.log, replica, after=None, size_bytes=PRINTED_BYTES)
    return replica.program, printed.text.splitlines()[-LINES_SHOWN:]


@require_POST
def pause(request: SteerwayRequest, name: str) -> HttpResponse:
    """Keep Steerway's hands off the service."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise PauseUnexplained(service=name)
    catalog_actions.pause(request.work, catalog.get(name), reason=form.cleaned_data["reason"])
    messages.warning(request, f"{name} is paused: nothing is repaired or started until it resumes.")
    return redirect("services:detail", name)


@require_POST
def resume(request: SteerwayRequest, name: str) -> HttpResponse:
    """Look after the service again."""
    catalog_actions.resume(request.work, catalog.get(name))
    messages.success(request, f"{name} is looked after again.")
    return redirect("services:detail", name)
