"""Parts of a page that are fetched by themselves: each fails alone, and calmly."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from steerway.platform.errors import Invalid, NotFound, Refused, Unavailable
from steerway.platform.web.request import SteerwayRequest

View = Callable[..., HttpResponse]


def part(view: View) -> View:
    """A view for whoever may read records; what it cannot show now is said in its place."""

    @wraps(view)
    def shown(request: SteerwayRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.work.allow("records.read")
        try:
            return view(request, *args, **kwargs)
        except Unavailable as error:
            return _said(request, str(error), "calm")
        except (NotFound, Refused, Invalid) as error:
            return _said(request, str(error), "wrong")

    return shown


def _said(request: SteerwayRequest, words: str, kind: str) -> HttpResponse:
    context: dict[str, Any] = {"words": words, "kind": kind}
    return render(request, "web/part_said.html", context)
