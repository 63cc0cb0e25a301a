"""Flags on pages: who sees what, and the hand on the switch."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from steerway.delivery.declarations import queries
from steerway.delivery.declarations.actions.publishing import Target
from steerway.delivery.declarations.models import Flag, Place
from steerway.delivery.declarations.rules.exposing import WHOLE
from steerway.delivery.exposures import queries as exposures
from steerway.delivery.flagfiles.rules.words import told
from steerway.delivery.flags import actions
from steerway.delivery.flags.errors import FormUnclear
from steerway.delivery.rollouts import queries as rolling
from steerway.delivery.rollouts.models import Rollout
from steerway.delivery.rollouts.rules import steps_of
from steerway.platform.log import queries as log
from steerway.platform.log.queries import Filter
from steerway.platform.web import paging
from steerway.platform.web.request import SteerwayRequest

NAME_MAX: Final = 60
EVENTS_SHOWN: Final = 30
RELEASES_SHOWN: Final = 12
MARKS: Final = {-1: ("done", "check"), 0: ("now", "dots"), 1: ("todo", "dots")}


class PlaceForm(forms.Form):
    """What is done to a flag, where and why. Each verb asks for its own part of it."""

    environment = forms.CharField(max_length=NAME_MAX)
    why = forms.CharField(max_length=500, required=False)
    percent = forms.FloatField(min_value=0, max_value=WHOLE, required=False)
    variant = forms.CharField(max_length=100, required=False)
    steps = forms.CharField(max_length=1000, required=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """A flag in one environment, as the bar and the words beside it show it."""

    place: Place
    width: float
    words: str
    tone: str


@dataclass(frozen=True, slots=True)
class Stop:
    """One step of a rollout as the track draws it."""

    percent: float
    mark: str
    icon: str
    wait: str


def flags(request: SteerwayRequest) -> HttpResponse:
    """All flags: who sees them where, who answers for them, and until when."""
    service = request.GET.get("service", "")[:NAME_MAX].strip()

    def read(after: str, rows: int) -> list[Flag]:
        return queries.newest(service=service, after=after, rows=rows)

    context = paging.page(request, read, lambda flag: f"{flag.service}/{flag.key}", name="after")
    today = request.work.now.date()
    rows = [
        {
            "flag": flag,
            "places": [shown(place) for place in flag.places.all()],
            "is_expired": flag.expires < today,
            "evaluated_at": _last(flag.places.all()),
        }
        for flag in context["rows"]
    ]
    debt = queries.in_debt(request.work.now, service=service)
    return render(
        request, "flags/list.html", context | {"rows": rows, "service": service, "debt": debt}
    )


def flag(request: SteerwayRequest, service: str, key: str) -> HttpResponse:
    """One flag: its rules in words, who has what, its rollouts and its history."""
    found = queries.get(service, key)
    places = list(found.places.all())
    place = queries.place(found, request.GET.get("environment", "")[:NAME_MAX])
    held = queries.file(service)
    in_force = queries.in_force(found, place.environment, held=held)
    rollouts = [r for r in rolling.of_flag(service, key) if r.environment == place.environment]
    running = next((one for one in rollouts if one.is_running), None)
    return render(
        request,
        "flags/detail.html",
        {
            "flag": found,
            "held": held if found.origin == "file" else None,
            "places": [shown(one) for one in places],
            "shown": shown(place),
            "place": place,
            "standing": exposures.standing(place),
            "rules": told(in_force, queries.evaluators(service)),
            "definition": json.dumps(in_force, indent=2, ensure_ascii=False),
            "variants": list(found.definition["variants"]),
            "running": running,
            "track": track(running) if running else [],
            "releases": queries.exposures(service, flag=key, rows=RELEASES_SHOWN),
            "events": log.newest(Filter(subject=key, service=service), rows=EVENTS_SHOWN),
            "is_expired": found.expires < request.work.now.date(),
            "reasons": _reasons(found, request.work.now),
        },
    )


@require_POST
def expose(request: SteerwayRequest, service: str, key: str) -> HttpResponse:
    """Give a variant to a share of users."""
    asked = _form(request)
    if asked["percent"] is None:
        raise FormUnclear(field="Share", problem="name a percentage from 0 to 100.")
    target = _target(service, key, asked)
    place = actions.expose(request.work, target, percent=asked["percent"], variant=asked["variant"])
    messages.success(request, f"{shown(place).words} in {place.environment} from now on.")
    return _back(service, key, place.environment)


@require_POST
def roll_out(request: SteerwayRequest, service: str, key: str) -> HttpResponse:
    """Begin to give a variant to more users step by step."""
    asked = _form(request)
    begun = actions.roll_out(
        request.work,
        _target(service, key, asked),
        steps=steps_of(asked["steps"]),
        variant=asked["variant"],
    )
    messages.success(request, f"{begun.variant} of {key} is rolled out ({begun.change.ref}).")
    return _back(service, key, begun.environment)


@require_POST
def stop(request: SteerwayRequest, service: str, key: str) -> HttpResponse:
    """Have a rollout take no more steps."""
    asked = _form(request)
    actions.stop(request.work, _target(service, key, asked))
    messages.info(request, "The rollout is stopped. Users keep what they have.")
    return _back(service, key, asked["environment"])


@require_POST
def restore(request: SteerwayRequest, service: str, key: str) -> HttpResponse:
    """Let the definition hold again."""
    asked = _form(request)
    place = actions.restore(request.work, _target(service, key, asked))
    messages.success(request, f"The definition holds again: {shown(place).words}.")
    return _back(service, key, place.environment)


@require_POST
def turn_off(request: SteerwayRequest, service: str, key: str) -> HttpResponse:
    """Turn a flag off for everybody, at once."""
    asked = _form(request)
    if not asked["why"].strip():
        raise FormUnclear(field="Reason", problem="say why; it is shown wherever the flag is.")
    place = actions.turn_off(request.work, _target(service, key, asked), reason=asked["why"])
    messages.success(request, f"{key} is off for everybody in {place.environment}.")
    return _back(service, key, place.environment)


@require_POST
def turn_on(request: SteerwayRequest, service: str, key: str) -> HttpResponse:
    """Let a flag follow its rules again."""
    asked = _form(request)
    place = actions.turn_on(request.work, _target(service, key, asked))
    messages.success(request, f"{key} follows its rules again: {shown(place).words}.")
    return _back(service, key, place.environment)


def shown(place: Place) -> Shown:
    """How a flag in an environment looks."""
    if place.is_off:
        return Shown(place, 0.0, "Off", "bad")
    if place.share is None:
        return Shown(place, 0.0, "By rule", "unknown")
    tone = "good" if place.share == WHOLE else "info" if place.share else "idle"
    return Shown(place, place.share, f"{place.share:g} % {place.variant}", tone)


def track(rollout: Rollout) -> list[Stop]:
    """The steps of a rollout, the one that comes next marked as now."""
    found = []
    for index, step in enumerate(rollout.plan):
        where = (index > rollout.position) - (index < rollout.position)
        mark, icon = MARKS[where]
        found.append(Stop(step.percent, mark, icon, str(step).partition("@")[2]))
    return found


def _reasons(flag: Flag, now: datetime) -> list[str]:
    debts = [one for one in queries.in_debt(now, service=flag.service) if one.flag == flag]
    return [
        f"{name}: {', '.join(map(str, said))}"
        for one in debts
        for name, said in one.reasons.items()
    ]


def _last(places: Sequence[Place]) -> datetime | None:
    return max((one.evaluated_at for one in places if one.evaluated_at), default=None)


def _target(service: str, key: str, asked: dict[str, Any]) -> Target:
    return Target(service, key, asked["environment"], why=asked["why"])


def _back(service: str, key: str, environment: str) -> HttpResponse:
    address = reverse("flags:detail", args=[service, key])
    return redirect(f"{address}?environment={environment}")


def _form(request: SteerwayRequest) -> dict[str, Any]:
    form = PlaceForm(request.POST)
    if not form.is_valid():
        field, problems = next(iter(form.errors.items()))
        raise FormUnclear(field=field, problem=str(problems[0]))
    return form.cleaned_data
