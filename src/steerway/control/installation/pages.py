"""The page of settings: what is in force, what it is made of, how its parts are."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from steerway.control.installation import queries
from steerway.delivery.deployments import queries as deployments
from steerway.platform.log import queries as log
from steerway.platform.web.request import SteerwayRequest


def effective(request: SteerwayRequest) -> HttpResponse:
    """Settings in force, secrets masked; versions; parts."""
    return render(
        request,
        "installation/settings.html",
        {
            "settings": queries.settings_in_force(request.work, settings.STEERWAY),
            "parts": queries.parts(settings.STEERWAY),
            "flights": len(deployments.running()),
            "storage": queries.storage(settings.STEERWAY),
            "versions": queries.versions(),
            "entries": log.last_seq(),
        },
    )
