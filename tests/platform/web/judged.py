"""Canaries on a scene: judged by the real judgement, on traffic whose time is an argument."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import yaml

from steerway.app import descriptor
from steerway.app.descriptor_declared import declared
from steerway.delivery.analyses import actions as analyses
from steerway.delivery.analyses.actions import Subject
from steerway.delivery.analyses.errors import Worse
from steerway.delivery.analyses.workflows import conduct
from steerway.delivery.canaries.descriptor import CanarySection
from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import State, Step
from steerway.planning.catalog import actions as catalog
from steerway.platform.work import Work
from tests.delivery.analyses.simulated import Traffic
from tests.platform.web import scene

SECTION = {
    "steps": [5, 25, 50],
    "shortest": "5s",
    "longest": "60s",
    "warm_up": "1s",
    "watch": ["errors", "latency"],
    "approve": [50],
    "attempts": 9,
}
BEFORE = (Step.PREFLIGHT, Step.BUILD, Step.INSTALL, Step.CONFIGURE, Step.START, Step.VERIFY)


class Enough(Exception):
    """As much time has passed as was asked for."""


@dataclass
class Stretch(Traffic):
    """Traffic that lasts for so many seconds."""

    seconds: float = 0.0

    def refuse_stopped(self) -> None:
        """Nobody cancels, but it ends."""
        if self.time >= self.seconds:
            raise Enough


@dataclass(frozen=True, slots=True)
class Played:
    """What was made, for tests that need a name."""

    flying: str
    worse: str


def play(now: datetime) -> Played:
    """A service whose one canary was worse, and whose next one is on its way."""
    apply(scene.at(now - timedelta(hours=2)))
    first = scene.at(now - timedelta(hours=1))
    scene.run(first, scene.deploy(first, Wish("roastery", "production", "v7", "")), routed=True)
    worse = begin(scene.at(now - timedelta(minutes=9)), "v8")
    judge(worse, since=now - timedelta(minutes=8), seconds=120, bad_every=8)
    flying = begin(scene.at(now - timedelta(seconds=80)), "v9")
    judge(flying, since=now - timedelta(seconds=40), seconds=4)
    return Played(flying.ref, worse.ref)


def apply(work: Work) -> None:
    """The service, whose new versions earn their traffic."""
    text = scene.SHOP.format(name="roastery", description="Roasts.", owners="alice", replicas=2)
    strategy = {"release": {"strategy": "canary", "canary": SECTION}}
    text += yaml.safe_dump(strategy)
    catalog.apply(work, declared(descriptor.load(text, "steerway.yaml")))


def begin(work: Work, version: str) -> Deployment:
    """A canary that has its first share of the traffic."""
    begun = actions.start(work, Wish("roastery", "production", version, "Darker roasts"))
    for step in BEFORE:
        work = scene.take(work, begun, step)
    scene.run(work, begun, routed=True)
    scene.take(work, begun, Step.SWITCH)
    actions.enter(work, begun, Step.JUDGE)
    return queries.get(begun.ref)


def judge(found: Deployment, *, since: datetime, seconds: float, bad_every: int = 0) -> None:
    """So many more seconds of it, under 100 requests a second; what is worse is taken back."""
    assert found.previous is not None
    work = scene.at(since, "steerway")
    section = CanarySection.model_validate(SECTION).model_dump(mode="json")
    subject = Subject(
        deployment_id=found.id,
        ref=found.ref,
        service=found.service,
        environment=found.environment,
        version=found.version,
        stable_version=found.previous.version,
        section=section,
        percent=section["steps"][0],
        rate=100,
    )
    analyses.begin(work, subject)
    traffic = Stretch(work, bad_every=bad_every, seconds=seconds)
    try:
        conduct(traffic.scene(), found.id)
    except Enough:
        return
    except Worse as worse:
        actions.fail(scene.later(work, timedelta(seconds=traffic.time)), found, error=str(worse))
        assert queries.get(found.ref).state == State.ROLLED_BACK
