"""Steering a canary from the page of its deployment."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from steerway.delivery.analyses import actions, queries
from steerway.delivery.analyses.errors import StepUnclear
from steerway.delivery.analyses.models import Analysis
from steerway.platform.web.request import SteerwayRequest


class StepForm(forms.Form):
    """The step that somebody approves, in percent."""

    percent = forms.FloatField(min_value=0, max_value=100)


@require_POST
def pause(request: SteerwayRequest, ref: str) -> HttpResponse:
    """Keep the new version at its share."""
    found = queries.get(ref)
    actions.pause(request.work, found)
    return _back(request, found, f"It stays at {found.percent:g} % until somebody resumes it.")


@require_POST
def resume(request: SteerwayRequest, ref: str) -> HttpResponse:
    """Let it go on."""
    found = queries.get(ref)
    actions.resume(request.work, found)
    return _back(request, found, f"It goes on from {found.percent:g} %.")


@require_POST
def approve(request: SteerwayRequest, ref: str) -> HttpResponse:
    """Let it take the step that the form names: what was read is what is approved."""
    found = queries.get(ref)
    form = StepForm(request.POST)
    if not form.is_valid():
        raise StepUnclear(ref=found.ref)
    percent = float(form.cleaned_data["percent"])
    actions.approve(request.work, found, percent=percent)
    return _back(request, found, f"It may take its step to {percent:g} %.")


@require_POST
def promote(request: SteerwayRequest, ref: str) -> HttpResponse:
    """Give it everything now."""
    found = queries.get(ref)
    actions.promote(request.work, found)
    return _back(request, found, f"{found.version} gets all of the traffic.")


def _back(request: SteerwayRequest, analysis: Analysis, words: str) -> HttpResponse:
    messages.info(request, words)
    return redirect("deployments:detail", analysis.ref)
