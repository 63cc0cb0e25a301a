"""The log on pages: what happened, one entry, and whether the chain is whole."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from steerway.platform.log import queries
from steerway.platform.log.errors import EntryUnknown
from steerway.platform.log.models import Event
from steerway.platform.log.queries import Filter
from steerway.platform.web import events, paging
from steerway.platform.web.request import SteerwayRequest

FIELDS = ("service", "subject", "type", "actor")
TEXT_MAX = 200


def log(request: SteerwayRequest) -> HttpResponse:
    """Entries that match the filters, newest first."""
    wanted = {name: request.GET.get(name, "")[:TEXT_MAX].strip() for name in FIELDS}
    since = request.GET.get("since", "")[:TEXT_MAX].strip()
    found = Filter(
        service=wanted["service"],
        subject=wanted["subject"],
        type=wanted["type"],
        actor=wanted["actor"],
        since=queries.parse_moment(since, request.work.now) if since else None,
    )

    def read(before: str, rows: int) -> list[Event]:
        return queries.newest(found, before=paging.number(before), rows=rows)

    context: dict[str, Any] = paging.page(request, read, lambda event: event.seq)
    is_filtered = any(wanted.values()) or bool(since)
    return render(
        request,
        "log/list.html",
        context | {"wanted": wanted, "since": since, "is_filtered": is_filtered},
    )


def entry(request: SteerwayRequest, seq: int) -> HttpResponse:
    """One entry with its place in the chain."""
    around = queries.after(seq - 2, rows=3)
    found = next((event for event in around if event.seq == seq), None)
    if found is None:
        raise EntryUnknown(seq=seq)
    return render(
        request,
        "log/entry.html",
        {
            "event": found,
            "data": events.data_of(found).items(),
            "is_whole": found.hash == found.sealed(),
            "previous": next((event for event in around if event.seq == seq - 1), None),
            "following": next((event for event in around if event.seq == seq + 1), None),
        },
    )


def verification(request: SteerwayRequest) -> HttpResponse:
    """Read the whole chain and say whether it is as it was written."""
    return render(request, "log/verdict.html", {"verdict": queries.verify()})
