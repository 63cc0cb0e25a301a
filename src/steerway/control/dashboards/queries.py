"""The values that a variable of a dashboard may take."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from steerway.platform.errors import SteerwayError
from steerway.telemetry.dashboards.rules.showing import Choice
from steerway.telemetry.metrics import queries as metrics
from steerway.telemetry.metrics.rules import QueryLimits, milliseconds
from steerway.telemetry.series.listing import Span
from steerway.telemetry.store import Store

VALUES_MAX: Final = 200
LOOK_BACK_MIN: Final = timedelta(hours=1)
LIMITS: Final = QueryLimits(seconds=3, cells=1_000_000)


def known(
    store: Store | None, choices: tuple[Choice, ...], *, start: datetime, end: datetime
) -> tuple[tuple[Choice, ...], str]:
    """The choices with their values from the store, and why some are missing; empty if none are."""
    found, why = [], ""
    span = Span(milliseconds(min(start, end - LOOK_BACK_MIN)), milliseconds(end))
    for one in choices:
        if one.label and store is not None:
            try:
                found.append(_with_values(store, one, span))
                continue
            except SteerwayError as error:
                why = str(error)
        found.append(one)
    return tuple(found), why


def _with_values(store: Store, one: Choice, span: Span) -> Choice:
    selectors = [one.of] if one.of else []
    budget = metrics.Budget(LIMITS)
    values = metrics.label_values(store, one.label, selectors, span=span, budget=budget)
    values = [value for value in values if value][:VALUES_MAX]
    value = one.value or (values[0] if values else "")
    return replace(one, values=tuple(values), value=value)
