"""Deployments on pages: the list, one in flight, and the ways to start, stop and take back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from steerway.delivery.analyses import queries as analyses
from steerway.delivery.analyses.queries import Standing
from steerway.delivery.analyses.rules import charts as drawn
from steerway.delivery.builds import queries as builds
from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.descriptor import ReleaseSection
from steerway.delivery.deployments.errors import WishUnclear
from steerway.delivery.deployments.models import Deployment, DeploymentStep
from steerway.delivery.deployments.rules import Kind, State, Step, StepState, Strategy
from steerway.delivery.runtimes import queries as runtimes
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import Condition
from steerway.platform.log import queries as log
from steerway.platform.log.queries import Filter
from steerway.platform.web import paging, words
from steerway.platform.web.charts import Chart
from steerway.platform.web.request import SteerwayRequest

EVENTS_SHOWN: Final = 40
LINES_SHOWN: Final = 12
FLOWING_SHOWN: Final = 6
PRINTED_BYTES: Final = 8_000
# The full moment before each line of a build's log; live, the time of day is enough.
STAMP: Final = re.compile(r"^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)[.\d]*Z")
WATCHED: Final = timedelta(minutes=5)  # as long as traffic is remembered
MARKS: Final = {
    StepState.DONE: ("done", "check"),
    StepState.RUNNING: ("now", "dots"),
    StepState.FAILED: ("failed", "cross"),
    StepState.SKIPPED: ("skipped", "minus"),
    StepState.WAITING: ("todo", "dots"),
}
# What each step does, said to somebody who sees it for the first time.
DOING: Final = {
    Step.PREFLIGHT: "Checking that everything it needs is there",
    Step.BUILD: "Building the release from its commit",
    Step.INSTALL: "Putting the release in place",
    Step.CONFIGURE: "Joining configuration and secrets",
    Step.START: "Starting the new replicas beside the old ones",
    Step.VERIFY: "Waiting until every new replica is healthy",
    Step.SWITCH: "Moving the traffic to the new version",
    Step.JUDGE: "Comparing the new version with the stable one, share by share",
    Step.DRAIN: "Letting the old replicas finish their requests",
    Step.RETIRE: "Stopping the old replicas",
}
# The same for one replica of several that are changed one after the other.
DOING_ONE: Final = {
    Step.START: "starting it beside the old ones",
    Step.VERIFY: "waiting until it is healthy",
    Step.SWITCH: "giving it its share of the traffic",
    Step.DRAIN: "letting an old one finish its requests",
}
# While these are taken, what a new replica prints is what people look for.
PRINTING: Final = frozenset({Step.START, Step.VERIFY, Step.JUDGE})
# What to do after a step has failed.
NEXT: Final = {
    Step.PREFLIGHT: "Nothing was changed. Mend what it names, then deploy again.",
    Step.BUILD: "Nothing was changed. Mend the build, commit, then deploy again.",
    Step.INSTALL: "Nothing was changed. Look at the disk and the release, then deploy again.",
    Step.CONFIGURE: "Nothing was changed. Set what is missing, then deploy again.",
    Step.START: "The old version serves as before. Read the last lines below, then deploy again.",
    Step.VERIFY: "The old version serves as before. Read the last lines below, then deploy again.",
    Step.JUDGE: "The stable version serves all again. Mend the fault, then deploy again.",
}


class WishForm(forms.Form):
    """What somebody wants deployed."""

    environment = forms.CharField(max_length=60)
    ref = forms.CharField(max_length=200, required=False)
    why = forms.CharField(max_length=1000, required=False)
    emergency = forms.BooleanField(required=False)


@dataclass(frozen=True, slots=True)
class Printing:
    """What is printed just now, its last lines, and by whom."""

    title: str
    lines: list[str]
    is_flowing: bool = False  # one line after the other, and not what it has come to


@dataclass(frozen=True, slots=True)
class Stop:
    """One step of the track."""

    name: str
    state: str
    mark: str
    icon: str
    rounds: int
    started_at: datetime | None
    ended_at: datetime | None


def deployments(request: SteerwayRequest) -> HttpResponse:
    """Deployments, newest first; those in flight above."""
    asked = ("service", "environment", "state")
    wanted = {name: request.GET.get(name, "")[:60].strip() for name in asked}

    def read(before: str, rows: int) -> list[Deployment]:
        return queries.newest(
            service=wanted["service"],
            environment=wanted["environment"],
            state=wanted["state"],
            before=paging.number(before),
            rows=rows,
        )

    context = paging.page(request, read, lambda deployment: deployment.number)
    return render(
        request,
        "deployments/list.html",
        context | {"wanted": wanted, "is_filtered": any(wanted.values()), "states": list(State)},
    )


def deployment(request: SteerwayRequest, ref: str) -> HttpResponse:
    """One deployment: where it is, what it replaces, and what went wrong."""
    found = queries.get(ref)
    stops = track(list(found.steps.order_by("position")), rounds=_rounds(found))
    at = next((stop for stop in stops if stop.mark in {"now", "failed"}), None)
    live = runtimes.live(found.service, found.environment)
    standing = analyses.standing(found.id) if found.strategy == Strategy.CANARY else None
    is_judged = standing is not None and standing.analysis.is_running
    return render(
        request,
        "deployments/detail.html",
        {
            "deployment": found,
            "previous": found.previous,
            "track": stops,
            "is_watched": _is_watched(found, request.work.now),
            "traffic_url": f"/api/services/{found.service}/traffic",
            "in_flight": "Rolling back" if found.kind == Kind.ROLLBACK else "Deploying",
            "headline": _headline(found, at, live),
            "next_step": NEXT.get(Step(at.name), "") if at and found.error else "",
            "standing": standing,
            "charts": _charts(found, standing),
            "gates": _gates(found),
            "share": share(found, live),
            "replicas": _replicas(found),
            "printing": _printing(found, at, live),
            "may_cancel": _may_cancel(found, is_judged=is_judged),
            "may_roll_back": found.serves,
            "events": log.newest(Filter(subject=found.ref), rows=EVENTS_SHOWN),
            "again": f"steerway deploy {found.service} --env {found.environment}",
        },
    )


@require_POST
def start(request: SteerwayRequest, service: str) -> HttpResponse:
    """Begin to deploy, and follow it."""
    begun = actions.start(request.work, _wish(request, service))
    return redirect("deployments:detail", begun.ref)


@require_POST
def rollback(request: SteerwayRequest, service: str) -> HttpResponse:
    """Begin to return to an earlier version, and follow it."""
    begun = actions.rollback(request.work, _wish(request, service))
    return redirect("deployments:detail", begun.ref)


@require_POST
def cancel(request: SteerwayRequest, ref: str) -> HttpResponse:
    """Ask a deployment to stop and undo what it started."""
    found = queries.get(ref)
    actions.cancel(request.work, found)
    messages.info(request, f"{found.ref} is stopping and undoes what it started.")
    return redirect("deployments:detail", found.ref)


def track(steps: Sequence[DeploymentStep], *, rounds: int = 1) -> list[Stop]:
    """The steps as the page draws them.

    A rolling deployment takes some steps again for each replica: what comes after the one that
    is being taken is ahead, also when it was taken before.
    """
    at = next((s.position for s in steps if s.state == StepState.RUNNING), len(steps))
    return [
        _stop(step, is_ahead=step.position > at, rounds=rounds if step.name in DOING_ONE else 1)
        for step in steps
    ]


def share(found: Deployment, live: Sequence[Replica]) -> dict[str, int]:
    """Who has the traffic, in percent: the new version, the old one, or nobody yet.

    The router gives every replica that it may use the same share.
    """
    routed = [one for one in live if one.routed]
    if found.is_running and routed:
        new = round(100 * sum(r.deployment_id == found.id for r in routed) / len(routed))
        return {"new": new, "old": 100 - new, "none": 0}
    new = 100 if found.switched_at else 0
    old = 100 - new if found.previous else 0
    return {"new": new, "old": old, "none": 100 - new - old}


def _may_cancel(found: Deployment, *, is_judged: bool) -> bool:
    """Before its switch; a canary until it has earned everything."""
    can = found.is_running and not found.cancelled_by
    return can and (is_judged or not found.switched_at)


def _gates(found: Deployment) -> list[float]:
    """The steps of a canary in flight that somebody may have to approve, each with a dialog.

    They are on the page from the beginning: one that came later could vanish while it is open.
    """
    if not found.is_running or found.strategy != Strategy.CANARY:
        return []
    section = ReleaseSection.stored(found.plan["release"]).canary
    return sorted({*section.approve, *(section.steps[:1] if found.dark else ())})


def _charts(found: Deployment, standing: Standing | None) -> list[Chart]:
    """What is drawn of a canary: from its beginning, for it may begin while somebody looks on."""
    is_coming = found.is_running and found.strategy == Strategy.CANARY
    if found.previous is None or not (standing or is_coming):
        return []
    names = found.version, found.previous.version
    return drawn.charts(drawn.Pair(found.ref, found.service, found.environment, *names))


def _rounds(found: Deployment) -> int:
    """How often the steps around the traffic are taken: for each replica, or once for all."""
    return found.replica_count if found.strategy == Strategy.ROLLING else 1


def _stop(step: DeploymentStep, *, is_ahead: bool, rounds: int) -> Stop:
    state = StepState.WAITING if is_ahead else StepState(step.state)
    mark, icon = MARKS[state]
    return Stop(
        name=step.name,
        state=state.value,
        mark=mark,
        icon=icon,
        rounds=rounds,
        started_at=None if is_ahead else step.started_at,
        ended_at=None if is_ahead else step.ended_at,
    )


def _replicas(found: Deployment) -> list[dict[str, object]]:
    """Its replicas as the template shows them."""
    return [
        {
            "name": one.program,
            "state": _state(one) if found.is_running else one.condition.value,
            "started_at": one.started_at,
            "restarts": one.exits,
            "port": one.port,
            "problem": one.last_exit,
        }
        for one in runtimes.of_deployment(found.id)
    ]


def _is_watched(found: Deployment, now: datetime) -> bool:
    """Whether live traffic still shows something of it."""
    is_recent = found.ended_at is None or found.ended_at > now - WATCHED
    return is_recent and found.plan["run"].get("port") != "none"


def _state(replica: Replica) -> str:
    """How a replica of a deployment in flight is; what was started just now is not seen yet."""
    if not replica.wanted and replica.started_at is None and replica.retired_at is None:
        return "not-started"
    is_unseen = replica.wanted and replica.seen_at is None
    return Condition.STARTING.value if is_unseen else replica.condition.value


def _printing(found: Deployment, at: Stop | None, live: Sequence[Replica]) -> Printing | None:
    """The live end of the build while it builds, of a new replica while it starts."""
    if at is None or not found.is_running:
        return None
    if at.name == Step.BUILD:
        return Printing("The build prints", _build_lines(found))
    mine = [r for r in live if r.deployment_id == found.id and r.wanted]
    coming = [r for r in mine if at.name == Step.JUDGE or not r.routed]
    if at.name not in PRINTING or not coming:
        return None
    one = max(coming, key=lambda replica: (replica.looping, -replica.index))
    log = settings.STEERWAY.log
    printed = runtimes.printed(log, one, after=None, size_bytes=PRINTED_BYTES)
    is_flowing = at.name == Step.JUDGE
    lines = printed.text.splitlines()[-(FLOWING_SHOWN if is_flowing else LINES_SHOWN) :]
    return Printing(f"Replica {one.index} prints", list(map(words.line_text, lines)), is_flowing)


def _build_lines(found: Deployment) -> list[str]:
    newest = builds.history(found.service, limit=1)
    # Before its own build has begun, the newest is that of an earlier deployment.
    is_own = bool(newest) and newest[0].asked_at >= found.requested_at
    text = builds.log(settings.STEERWAY.home, newest[0].id) if is_own else ""
    return [STAMP.sub(r"\1", line) for line in text.splitlines()[-LINES_SHOWN:]]


def _headline(found: Deployment, at: Stop | None, live: Sequence[Replica]) -> str:
    if not found.is_running:
        return _ended(found, at)
    if found.cancelled_by:
        return f"{found.cancelled_by} has cancelled it; undoing what was started"
    return _doing(found, Step(at.name), live) if at else "Waiting for its turn"


def _ended(found: Deployment, at: Stop | None) -> str:
    version = found.version
    said = {
        State.SUCCEEDED: f"{version} serves {found.service} in {found.environment}",
        State.UNCHANGED: f"{version} was serving already, with this configuration",
        State.CANCELLED: f"Cancelled by {found.cancelled_by}; what it started was undone",
        State.ROLLED_BACK: f"{version} was worse; {_before(found)} serves all again",
        State.FAILED: f"Failed at {at.name}" if at else "Failed",
    }
    return said[State(found.state)]


def _before(found: Deployment) -> str:
    return found.previous.version if found.previous else "what served before"


def _doing(found: Deployment, step: Step, live: Sequence[Replica]) -> str:
    if _rounds(found) == 1 or step not in DOING_ONE:
        return DOING[step]
    serving = sum(one.deployment_id == found.id and one.routed for one in live)
    turn = serving + 1 if step in {Step.START, Step.VERIFY} else max(serving, 1)
    return f"Replica {turn} of {found.replica_count}: {DOING_ONE[step]}"


def _wish(request: SteerwayRequest, service: str) -> Wish:
    form = WishForm(request.POST)
    if not form.is_valid():
        field, problems = next(iter(form.errors.items()))
        raise WishUnclear(field=field, problem=str(problems[0]))
    asked: dict[str, Any] = form.cleaned_data
    return Wish(
        service=service,
        environment=asked["environment"],
        ref=asked["ref"],
        why=asked["why"],
        emergency=asked["emergency"],
    )
