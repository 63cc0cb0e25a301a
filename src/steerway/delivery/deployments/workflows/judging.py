"""A canary of a deployment: what is compared, and how its share is moved.

`delivery.analyses` decides and remembers; here is what it looks at and what it moves.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from typing import Final
from uuid import UUID

from steerway.delivery.analyses import actions as analyses
from steerway.delivery.analyses import queries as analysed
from steerway.delivery.analyses import workflows as analysing
from steerway.delivery.analyses.actions import Subject
from steerway.delivery.analyses.adapters.top_up import Question, TopUp
from steerway.delivery.analyses.rules.comparing import Reply, places
from steerway.delivery.analyses.rules.crowds import crowds
from steerway.delivery.analyses.workflows import CANARY, STABLE, Pair, Scene
from steerway.delivery.canaries.descriptor import CanarySection
from steerway.delivery.canaries.rules.judging import Counts
from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.descriptor import ReleaseSection
from steerway.delivery.deployments.errors import Cancelled
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import Strategy
from steerway.delivery.deployments.workflows import traffic
from steerway.delivery.deployments.workflows.declared import Declared
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.router.adapters.failures import Failures, callers
from steerway.delivery.router.rules import domains
from steerway.delivery.runtimes import queries as runtimes
from steerway.delivery.verdicts.rules.plans import ERRORS
from steerway.delivery.verdicts.rules.signals import Caller
from steerway.platform import clock
from steerway.platform.db import reading, unit_of_work

MEASURED_SECONDS: Final = 1.0  # of traffic before the canary gets any, for the rate
SHARE_MIN: Final = 1  # percent: the router counts in whole ones
ALONE: Final = "nothing served before, so there is nothing to compare it with"


def is_judged(deployment: Deployment) -> bool:
    """Whether its traffic is earned: something serves already, and there is traffic at all."""
    return (
        deployment.strategy == Strategy.CANARY
        and deployment.previous_id is not None
        and deployment.plan["run"]["port"] != traffic.NO_PORT
    )


def begin(ground: Ground, deployment: Deployment) -> float:
    """Begin to compare, before the first request reaches it; its first share in percent.

    What the stable version is like is measured now, once: its requests a second, how fast it is.
    """
    with reading():
        known = analysed.of(deployment.id)
    if known is not None:
        return known.percent
    section, previous = _section(deployment), _previous(deployment)
    names = traffic.cluster(deployment), traffic.cluster(previous)
    before = _signals(ground, deployment, names)[1]
    time.sleep(MEASURED_SECONDS)
    after = _signals(ground, deployment, names)[1]
    subject = Subject(
        deployment_id=deployment.id,
        ref=deployment.ref,
        service=deployment.service,
        environment=deployment.environment,
        version=deployment.version,
        stable_version=previous.version,
        section=section.model_dump(mode="json"),
        percent=0.0 if deployment.dark or section.shadow else section.steps[0],
        is_dark=deployment.dark,
        rate=max(0, after.ended - before.ended) / MEASURED_SECONDS,
        places=places(after),
        crowds=crowds(
            callers(ground.log / "access.log", deployment.service, deployment.environment)
        ),
        phi={ERRORS.name: ground.pulse.phi(names[1])},
    )
    with unit_of_work():
        return analyses.begin(ground.work(), subject).percent


def compared() -> list[str]:
    """What the router calls all that serves and will be compared with."""
    return [traffic.cluster(one) for one in queries.serving_by(Strategy.CANARY)]


def listen(ground: Ground, compared: Callable[[], list[str]]) -> None:
    """Remember a second of all that will be compared with, replica by replica."""
    names = compared()
    ground.pulse.add(ground.envoy.replica_counts(*names) if names else {})


def conduct(ground: Ground, deployment: Deployment) -> str:
    """Compare to the end; what to say of it.

    Raises:
        Worse: the new version must go.
        Cancelled: somebody stopped it.
    """
    asking = TopUp()
    try:
        note = analysing.conduct(_scene(ground, deployment, asking), deployment.id)
    finally:
        asking.close()
    _refuse_cancelled(deployment)  # once more: who cancelled while the last second was judged
    return note


def shares(deployment: Deployment, percent: float) -> dict[UUID, int]:
    """Who gets how much of the traffic, the stable version first."""
    mine = min(max(SHARE_MIN, round(percent)), traffic.ALL) if percent else 0
    assert deployment.previous_id is not None, "a canary runs beside something"
    found = {deployment.previous_id: traffic.ALL - mine, deployment.id: mine}
    return {one: share for one, share in found.items() if share}


def _scene(ground: Ground, deployment: Deployment, asking: TopUp) -> Scene:
    section, previous = _section(deployment), _previous(deployment)
    names = traffic.cluster(deployment), traffic.cluster(previous)
    crashed = _Crashes(deployment)
    declared = Declared(
        (deployment.service, deployment.environment),
        (deployment.version, previous.version),
        section.metrics,
    )
    questions = cycle(section.top_up.requests if section.top_up else ())

    def ask(count: int) -> tuple[Sequence[Reply], Sequence[Reply]]:
        asked = [(one.method, one.path) for one in islice(questions, count)]
        mine = _questions(deployment, deployment.id, asked)
        other = _questions(deployment, previous.id, asked)
        replies = asking.ask([*mine, *other])
        return replies[: len(mine)], replies[len(mine) :]

    failed = Failures(ground.log / "failures.log", deployment.service, deployment.environment)
    sides = dict(zip(names, (CANARY, STABLE), strict=True))

    def failures() -> Mapping[Caller, int]:
        return {
            (sides[version], client, route): count
            for (version, client, route), count in failed.look().items()
            if version in sides
        }

    return Scene(
        look=lambda: _signals(ground, deployment, names),
        failures=failures,
        extras=lambda: {**crashed.counts(), **declared.counts(clock.now())},
        point=lambda percent: point(ground, deployment, percent),
        mirror=lambda percent: _mirror(ground, deployment, percent),
        look_at_copies=lambda: _copies(ground, deployment, names),
        ask=ask,
        refuse_stopped=lambda: _refuse_cancelled(deployment),
        work=ground.work,
    )


def point(ground: Ground, deployment: Deployment, percent: float) -> None:
    """Give it its share, which from now on makes a difference to users.

    Raises:
        Cancelled: somebody stopped it just before its first user.
    """
    with unit_of_work():
        if not actions.switched(ground.work(), deployment):
            raise Cancelled(by=queries.by_id(deployment.id).cancelled_by)
    traffic.point(ground, deployment, shares(deployment, percent))


def _mirror(ground: Ground, deployment: Deployment, percent: int) -> None:
    """Send it copies of so many of the requests that only read."""
    copies = {deployment.id: percent} if percent else {}
    traffic.point(ground, deployment, shares(deployment, 0.0), copies)


def _copies(ground: Ground, deployment: Deployment, names: tuple[str, str]) -> Pair:
    """What it did with its copies, and what the stable version did."""
    canary, stable = names
    known = ground.envoy.signals(deployment.service, deployment.environment, [stable])
    return ground.envoy.shadow_signals(canary), known[stable]


class _Crashes:
    """How often replicas of the new version end by themselves."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._seen = self._exits()

    def counts(self) -> Mapping[str, Counts]:
        """Each second of each replica is a trial; each exit a bad one."""
        now = self._exits()
        ended, self._seen = max(0, now - self._seen), now
        seconds = max(self._deployment.replica_count, ended)
        return {"crash": Counts(seconds, 0, ended, 0)}

    def _exits(self) -> int:
        with reading():
            return sum(one.exits for one in runtimes.of_deployment(self._deployment.id))


def _previous(deployment: Deployment) -> Deployment:
    with reading():
        return queries.by_id(str(deployment.previous_id))


def _signals(ground: Ground, deployment: Deployment, names: tuple[str, str]) -> Pair:
    """`names` are what the router calls the new version and the stable one."""
    found = ground.envoy.signals(deployment.service, deployment.environment, names)
    return found[names[0]], found[names[1]]


def _questions(
    deployment: Deployment, side: UUID, asked: Sequence[tuple[str, str]]
) -> list[Question]:
    """Safe requests, in turns to the replicas of one side."""
    with reading():
        ports = [r.port for r in runtimes.of_deployment(side) if r.port and r.wanted and r.routed]
    if not ports:
        return []
    host = domains(deployment.service, deployment.environment, is_last=False)[0]
    turns = islice(cycle(ports), len(asked))
    return [
        Question(method, path, host, port)
        for (method, path), port in zip(asked, turns, strict=True)
    ]


def _section(deployment: Deployment) -> CanarySection:
    return ReleaseSection.stored(deployment.plan["release"]).canary


def _refuse_cancelled(deployment: Deployment) -> None:
    with reading():
        now = queries.by_id(deployment.id)
    if now.cancelled_by:
        raise Cancelled(by=now.cancelled_by)
