"""The plan that a descriptor asks for."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from steerway.delivery.canaries.descriptor import CanarySection, MarginSection, MetricSection
from steerway.delivery.verdicts.rules.evalues import Margin
from steerway.delivery.verdicts.rules.plans import (
    CRASHES,
    ERRORS,
    LATENCY,
    REFUSALS,
    SATURATION,
    Metric,
    Plan,
    Stage,
    shared,
)

PERCENT: Final = 100
SHORTEST: Final = 8.0  # seconds
SHORTEST_LAST: Final = 15.0  # the last gate asks for the whole proof, of latency too
LONGEST: Final = ((5.0, 60.0), (25.0, 120.0), (100.0, 270.0))  # up to so many percent, seconds
# The fastest page of multi-window burn alerts: a 30-day budget gone in 50 hours.
# Source: The Site Reliability Workbook, Alerting on SLOs, table 5-8.
BURN: Final = 14.4
ACCEPTED_TIMES: Final = 1.2  # the acceptance margin beside the rollback margin: 1.5 for 1.25,
ACCEPTED_PLUS: Final = 2.5  # ... and 0.05 percentage points for 0.02

WATCHED: Final = {
    "errors": (ERRORS,),
    "latency": LATENCY,
    "refusals": (REFUSALS,),
    "crashes": (CRASHES,),
    "saturation": (SATURATION,),
}


def planned(section: CanarySection, *, rate: float) -> Plan:
    """The plan of a rollout; `rate` is requests a second of the service before it."""
    metrics = [one for name, ones in WATCHED.items() if name in section.watch for one in ones]
    metrics += [_declared(one) for one in section.metrics]
    burn = 1.0 if section.objective is None else BURN * (1 - section.objective / PERCENT)
    return Plan(
        metrics=shared(tuple(_adjusted(one, section) for one in metrics)),
        stages=tuple(_stage(section, at) for at in range(len(section.steps))),
        bake=section.bake.total_seconds(),
        alpha=section.false_alarms / PERCENT,
        burn_max=min(burn, 1.0),
        rate=rate,
    )


def _stage(section: CanarySection, at: int) -> Stage:
    percent, is_last = section.steps[at], at == len(section.steps) - 1
    shortest = SHORTEST_LAST if is_last else SHORTEST
    longest = next(seconds for limit, seconds in LONGEST if percent <= limit)
    least = _seconds(section.shortest, shortest)
    return Stage(percent / PERCENT, least, max(_seconds(section.longest, longest), least))


def _seconds(asked: timedelta | None, default: float) -> float:
    return default if asked is None else asked.total_seconds()


def _adjusted(metric: Metric, section: CanarySection) -> Metric:
    if metric.name == ERRORS.name:
        return _within(metric, section.errors)
    if metric in LATENCY:
        return replace(metric, warm_up=int(section.warm_up.total_seconds()))
    return metric


def _declared(section: MetricSection) -> Metric:
    """A metric of the service's own, which the last gate asks for.

    A ratio is a count like errors. A value is a trial bad in part, as `signals.part_bad` has it.
    """
    plain = Metric(
        section.name,
        0.0,
        Margin(1.0, 0.0),
        Margin(1.0, 0.0),
        bad="were bad" if section.is_ratio else "of the way from fine to poor",
        trials="events" if section.is_ratio else "looks",
    )
    return _within(plain, section.margin)


def _within(metric: Metric, asked: MarginSection) -> Metric:
    excess = asked.plus / PERCENT
    accepted = Margin(asked.times * ACCEPTED_TIMES, excess * ACCEPTED_PLUS)
    return replace(metric, margin=Margin(asked.times, excess), accepted=accepted)
