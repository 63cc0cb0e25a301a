"""Two versions under traffic, by counters as a router would give them; time is an argument."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from steerway.delivery.analyses import actions, queries
from steerway.delivery.analyses.actions import Subject
from steerway.delivery.analyses.models import Analysis
from steerway.delivery.analyses.rules.comparing import Reply, with_replies
from steerway.delivery.analyses.workflows import Pair, Scene
from steerway.delivery.canaries.descriptor import CanarySection
from steerway.delivery.router.rules import Signals
from steerway.delivery.verdicts.rules.signals import Caller
from steerway.platform.db import new_id
from steerway.platform.log.models import Event
from steerway.platform.work import Work

QUICK: dict[str, Any] = {
    "steps": [20, 50],
    "shortest": "2s",
    "longest": "10s",
    "bake": "3s",
    "watch": ["errors"],
}
SECONDS_MAX = 300


class TooLong(Exception):
    """It goes on for ever."""


@dataclass
class Traffic:
    """Two versions under a rate; each tenth of a second `rate / 10` requests come."""

    work: Work
    rate: int = 100
    bad_every: int = 0  # of the canary's answers, each so many-th fails; 0: none
    topped_bad: bool = False
    percent: float = 0.0
    shares: list[float] = field(default_factory=list)
    time: float = 0.0
    canary: Signals = field(default_factory=lambda: Signals(healthy=2, replicas=2))
    stable: Signals = field(default_factory=lambda: Signals(healthy=2, replicas=2))
    carry: float = 0.0
    served: int = 0
    events: dict[int, Callable[[], None]] = field(default_factory=dict)
    asked: int = 0
    clients: Sequence[str] = tuple(f"client-{number}" for number in range(997))
    failed: dict[Caller, int] = field(default_factory=dict)
    mirrored: list[int] = field(default_factory=list)
    copies: Signals = field(default_factory=lambda: Signals(healthy=2, replicas=2))
    bad_copies: bool = False

    def look(self) -> Pair:
        return self.canary, self.stable

    def point(self, percent: float) -> None:
        self.percent = percent
        self.shares.append(percent)

    def mirror(self, percent: int) -> None:
        self.mirrored.append(percent)

    def ask(self, count: int) -> tuple[Sequence[Reply], Sequence[Reply]]:
        self.asked += count
        bad = 500 if self.topped_bad else 200
        return [Reply(bad, 3.0)] * count, [Reply(200, 3.0)] * count

    def failures(self) -> Mapping[Caller, int]:
        found, self.failed = dict(self.failed), {}
        return found

    def extras(self) -> Mapping[str, Any]:
        return {}

    def refuse_stopped(self) -> None:
        if self.time > SECONDS_MAX:
            raise TooLong

    def wait(self, seconds: float) -> None:
        before, self.time = self.time, self.time + seconds
        for moment in range(int(before) + 1, int(self.time) + 1):
            self.events.get(moment, lambda: None)()
        requests = self.rate * seconds
        self.carry += requests * self.percent / 100
        mine, self.carry = int(self.carry), self.carry % 1
        for _ in range(mine):
            self.served += 1
            is_bad = self.bad_every and self.served % self.bad_every == 0
            self.canary = with_replies(self.canary, [Reply(500 if is_bad else 200, 3.0)])
            if is_bad:
                client = self.clients[self.served % len(self.clients)]
                caller = ("canary", client, "GET /")
                self.failed[caller] = self.failed.get(caller, 0) + 1
        self.stable = with_replies(self.stable, [Reply(200, 3.0)] * int(requests - mine))
        if self.mirrored == [100]:
            copy = Reply(500 if self.bad_copies else 200, 3.0)
            self.copies = with_replies(self.copies, [copy] * int(requests))

    def scene(self) -> Scene:
        return Scene(
            look=self.look,
            failures=self.failures,
            mirror=self.mirror,
            look_at_copies=lambda: (self.copies, self.stable),
            extras=self.extras,
            point=self.point,
            ask=self.ask,
            refuse_stopped=self.refuse_stopped,
            work=lambda: replace(self.work, now=self.work.now + timedelta(seconds=self.time)),
            now=lambda: self.time,
            wait=self.wait,
        )


def begun(
    work: Work,
    *,
    rate: float = 100,
    environment: str = "production",
    crowds: tuple[str, ...] = (),
    percent: float | None = None,
    is_dark: bool = False,
    **section: Any,
) -> UUID:
    """An analysis at its first step."""
    stored = CanarySection.model_validate(QUICK | section).model_dump(mode="json")
    subject = Subject(
        deployment_id=new_id(),
        ref="DEP-7",
        service="shop",
        environment=environment,
        version="v2",
        stable_version="v1",
        section=stored,
        percent=stored["steps"][0] if percent is None else percent,
        rate=rate,
        crowds=crowds,
        is_dark=is_dark,
    )
    return actions.begin(work, subject).deployment_id


def found(deployment_id: UUID) -> Analysis:
    analysis = queries.of(deployment_id)
    assert analysis
    return analysis


def types() -> list[str]:
    return [one.type for one in Event.objects.order_by("seq")]
