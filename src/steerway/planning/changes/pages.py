"""Changes on pages: what was altered day by day, one change, and the brakes."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from steerway.planning.changes import actions, queries
from steerway.planning.changes.errors import ReasonMissing
from steerway.planning.changes.models import Change
from steerway.planning.changes.queries import Day
from steerway.platform.log import queries as log
from steerway.platform.log.queries import Filter
from steerway.platform.web import paging
from steerway.platform.web.request import SteerwayRequest

CALENDAR_DAYS: Final = 14
SQUARES_MAX: Final = 8  # What fits into a day of the calendar; more says no more to the eye.
EVENTS_SHOWN: Final = 50
SATURDAY: Final = 5


class HoldForm(forms.Form):
    """What to hold, and why. No service is everything."""

    service = forms.CharField(max_length=60, required=False)
    reason = forms.CharField(max_length=500)


def changes(request: SteerwayRequest) -> HttpResponse:
    """Changes by day, newest first, with the holds in force above."""
    wanted = {name: request.GET.get(name, "")[:60].strip() for name in ("service", "environment")}

    def read(before: str, rows: int) -> list[Change]:
        return queries.newest(
            service=wanted["service"],
            environment=wanted["environment"],
            before=paging.number(before),
            rows=rows,
        )

    context = paging.page(request, read, lambda change: change.number)
    since = request.work.now.replace(hour=0, minute=0, second=0, microsecond=0)
    since -= timedelta(days=CALENDAR_DAYS - 1)
    days = _days(context["rows"])
    return render(
        request,
        "changes/list.html",
        context
        | {
            "days": days,
            "calendar": calendar(queries.by_day(since), since, shown={day for day, _ in days}),
            "holds": queries.open_holds(),
            "wanted": wanted,
            "is_filtered": any(wanted.values()),
        },
    )


def change(request: SteerwayRequest, ref: str) -> HttpResponse:
    """One change: who, what, why, what came of it, and what happened on the way."""
    found = queries.get(ref)
    return render(
        request,
        "changes/detail.html",
        {
            "change": found,
            "again": f"steerway deploy {found.service} --why '…'",
            "events": log.newest(Filter(subject=found.ref), rows=EVENTS_SHOWN),
        },
    )


@require_POST
def freeze(request: SteerwayRequest) -> HttpResponse:
    """Hold everything."""
    actions.freeze(request.work, reason=_form(request)["reason"])
    messages.success(request, "Changes are frozen. Rollbacks and emergencies still pass.")
    return redirect("changes:list")


@require_POST
def thaw(request: SteerwayRequest) -> HttpResponse:
    """End the freeze."""
    actions.thaw(request.work)
    messages.success(request, "The freeze has ended.")
    return redirect("changes:list")


@require_POST
def hold(request: SteerwayRequest) -> HttpResponse:
    """Hold the changes of one service."""
    asked = _form(request)
    held = actions.hold(request.work, service=asked["service"], reason=asked["reason"])
    messages.success(request, f"{held.target} is on hold ({held.ref}).")
    return redirect("changes:list")


@require_POST
def lift(request: SteerwayRequest, ref: str) -> HttpResponse:
    """End a hold."""
    held = queries.hold(ref)
    actions.lift(request.work, held)
    messages.success(request, f"{held.ref} is lifted.")
    return redirect("changes:list")


def calendar(counted: Iterable[Day], since: datetime, *, shown: set[date]) -> list[dict[str, Any]]:
    """The last two weeks, a day an entry: its squares, and whether its changes are listed."""
    by_day: dict[date, list[Day]] = defaultdict(list)
    for one in counted:
        by_day[one.day].append(one)
    dates = [since.date() + timedelta(days=offset) for offset in range(CALENDAR_DAYS)]
    return [
        {
            "date": day,
            "squares": [one.state for one in by_day[day] for _ in range(one.count)][:SQUARES_MAX],
            "count": sum(one.count for one in by_day[day]),
            "more": max(0, sum(one.count for one in by_day[day]) - SQUARES_MAX),
            "is_listed": day in shown,
            "is_weekend": day.weekday() >= SATURDAY,
            "is_today": day == dates[-1],
        }
        for day in dates
    ]


def _days(rows: Iterable[Change]) -> list[tuple[date, list[Change]]]:
    found: dict[date, list[Change]] = defaultdict(list)
    for one in rows:
        found[one.opened_at.date()].append(one)
    return list(found.items())


def _form(request: SteerwayRequest) -> dict[str, str]:
    form = HoldForm(request.POST)
    if not form.is_valid():
        raise ReasonMissing
    return form.cleaned_data
