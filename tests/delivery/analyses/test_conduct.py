"""An analysis from its first second to its end, on counters as a router would give them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from steerway.delivery.analyses import actions, queries
from steerway.delivery.analyses.actions import Subject
from steerway.delivery.analyses.errors import Decided, NotJudged, Worse
from steerway.delivery.analyses.models import Analysis
from steerway.delivery.analyses.rules.comparing import Reply, with_replies
from steerway.delivery.analyses.rules.crowds import crowds
from steerway.delivery.analyses.workflows import Pair, Scene, conduct
from steerway.delivery.canaries import queries as canaries
from steerway.delivery.canaries.descriptor import CanarySection
from steerway.delivery.router.rules import Signals
from steerway.delivery.verdicts.rules.signals import Caller
from steerway.platform.db import new_id
from steerway.platform.errors import Forbidden
from steerway.platform.log.models import Event
from steerway.platform.work import Work

pytestmark = [pytest.mark.django_db, pytest.mark.database]
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


def test_a_good_version_gets_everything_step_by_step(work: Work) -> None:
    one, traffic = begun(work), Traffic(work)

    conduct(traffic.scene(), one)

    assert traffic.shares == [20, 50, 100]
    assert (found(one).state, found(one).percent) == ("promoted", 100)
    assert types() == [
        "analysis.begun",
        "release.exposed",
        "analysis.advanced",
        "analysis.advanced",
        "analysis.promoted",
    ]


def test_a_bad_version_is_worse_before_its_share_grows(work: Work) -> None:
    one, traffic = begun(work), Traffic(work, bad_every=5)

    with pytest.raises(Worse, match="Worse, by errors"):
        conduct(traffic.scene(), one)

    assert traffic.shares == [20]
    assert found(one).state == "worse"
    assert types()[-2:] == ["analysis.worse", "release.withdrawn"]


def test_one_client_that_fails_again_and_again_is_one_fact(work: Work) -> None:
    one, traffic = begun(work), Traffic(work, bad_every=50, clients=("10.0.0.7",))
    few, plain = begun(work, environment="testing", few_clients=True), Traffic(work, bad_every=50)
    plain.clients = ("10.0.0.7",)

    conduct(traffic.scene(), one)
    with pytest.raises(Worse):
        conduct(plain.scene(), few)

    assert found(one).state == "promoted"


def test_an_address_that_many_share_is_not_one_client(work: Work) -> None:
    one = begun(work, crowds=("10.0.0.7",))
    traffic = Traffic(work, bad_every=50, clients=("10.0.0.7",))

    with pytest.raises(Worse):
        conduct(traffic.scene(), one)


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ({}, ()),
        ({"10.0.0.1": 99}, ()),
        ({"10.0.0.1": 100}, ("10.0.0.1",)),
        ({"10.0.0.1": 60, "10.0.0.2": 30, "10.0.0.3": 30}, ("10.0.0.1",)),
        ({f"10.0.0.{last}": 10 for last in range(30)}, ()),
    ],
)
def test_who_makes_most_of_the_requests_is_a_crowd(
    requests: dict[str, int], expected: tuple[str, ...]
) -> None:
    assert crowds(requests) == expected


def test_a_version_that_fails_always_is_known_within_a_second(work: Work) -> None:
    one, traffic = begun(work), Traffic(work, bad_every=1)

    with pytest.raises(Worse):
        conduct(traffic.scene(), one)

    assert traffic.time < 1


def test_three_requests_are_not_enough_to_go_on(work: Work) -> None:
    one, traffic = begun(work, rate=0), Traffic(work, rate=0)
    for moment in (3, 4, 5):
        traffic.events[moment] = lambda: setattr(
            traffic, "canary", with_replies(traffic.canary, [Reply(200, 3.0)])
        )

    with pytest.raises(TooLong):
        conduct(traffic.scene(), one)

    assert (found(one).answer, found(one).is_held) == ("not enough data", True)
    assert (found(one).percent, traffic.shares) == (20, [20])
    assert "3 of the 8 requests" in found(one).reasons[0]
    assert types().count("analysis.held") == 1


def test_safe_requests_let_a_quiet_service_finish(work: Work) -> None:
    top_up = {"requests": [{"path": "/healthz"}], "rate": 5}
    one, traffic = begun(work, rate=0, top_up=top_up), Traffic(work, rate=0)

    conduct(traffic.scene(), one)

    assert found(one).state == "promoted"
    assert found(one).topped_up == 2 * traffic.asked > 0


def test_safe_requests_find_a_bad_version_of_a_quiet_service(work: Work) -> None:
    top_up = {"requests": [{"path": "/healthz"}], "rate": 5}
    one = begun(work, rate=0, top_up=top_up)

    with pytest.raises(Worse):
        conduct(Traffic(work, rate=0, topped_bad=True).scene(), one)


def test_people_who_ask_enough_are_not_topped_up(work: Work) -> None:
    top_up = {"requests": [{"path": "/healthz"}], "rate": 5}
    one, traffic = begun(work, top_up=top_up), Traffic(work)

    conduct(traffic.scene(), one)

    assert traffic.asked <= 5  # in the first second, of which nothing is known yet


def test_a_pause_keeps_the_share_and_not_the_brake_on_harm(work: Work) -> None:
    one, traffic = begun(work), Traffic(work)
    actions.pause(work, found(one))
    traffic.events[20] = lambda: setattr(traffic, "bad_every", 2)

    with pytest.raises(Worse):
        conduct(traffic.scene(), one)

    assert traffic.shares == [20]
    assert 20 < traffic.time < 30
    held = Event.objects.filter(type="analysis.held").first()
    assert held
    assert "alice has paused it" in json.loads(held.data)["reason"]


def test_after_a_pause_it_goes_on(work: Work) -> None:
    one, traffic = begun(work), Traffic(work)
    actions.pause(work, found(one))
    traffic.events[15] = lambda: actions.resume(work, found(one))

    conduct(traffic.scene(), one)

    assert traffic.shares == [20, 50, 100]
    assert traffic.time > 15


def test_a_step_that_must_be_approved_waits_for_a_person(work: Work) -> None:
    one, traffic = begun(work, approve=[50]), Traffic(work)
    waited: list[float | None] = []

    def approve() -> None:
        waited.append(found(one).waits_for)
        actions.approve(work, found(one), percent=50)

    traffic.events[30] = approve
    conduct(traffic.scene(), one)

    assert waited == [50]
    assert traffic.shares == [20, 50, 100]
    assert traffic.time > 30


def test_what_is_dark_has_no_user_until_somebody_releases_it(work: Work) -> None:
    one, traffic = begun(work, percent=0.0, is_dark=True), Traffic(work)
    traffic.events[7] = lambda: actions.approve(work, found(one), percent=20)

    conduct(traffic.scene(), one)

    assert traffic.shares == [20, 50, 100]
    assert traffic.time > 7
    assert types()[:3] == ["analysis.begun", "analysis.approved", "release.exposed"]


def test_copies_come_before_the_first_user(work: Work) -> None:
    one, traffic = begun(work, percent=0.0, shadow="10s"), Traffic(work)

    conduct(traffic.scene(), one)

    assert traffic.mirrored == [100, 0]
    assert traffic.shares == [20, 50, 100]
    assert types()[:3] == ["analysis.begun", "analysis.shadowed", "release.exposed"]


def test_what_is_worse_by_its_copies_never_gets_a_user(work: Work) -> None:
    one, traffic = begun(work, percent=0.0, shadow="10s"), Traffic(work, bad_copies=True)

    with pytest.raises(Worse):
        conduct(traffic.scene(), one)

    assert traffic.shares == []
    assert types() == ["analysis.begun", "analysis.worse"]


def test_somebody_can_give_it_everything_at_once(work: Work) -> None:
    one, traffic = begun(work, rate=0), Traffic(work, rate=0)
    traffic.events[2] = lambda: actions.promote(work, found(one))

    assert conduct(traffic.scene(), one) == "alice promoted it"
    assert traffic.shares == [20, 100]
    assert found(one).state == "promoted"


class Killed(Exception):
    """The server is gone."""


def test_it_goes_on_after_a_crash_as_if_nothing_had_happened(work: Work) -> None:
    one, traffic = begun(work), Traffic(work, bad_every=8)

    def die() -> None:
        raise Killed

    traffic.events[1] = die
    with pytest.raises(Killed):
        conduct(traffic.scene(), one)
    traffic.events.clear()
    with pytest.raises(Worse):
        conduct(traffic.scene(), one)
    with pytest.raises(Worse):
        conduct(traffic.scene(), one)

    assert types().count("analysis.worse") == 1


def test_each_second_is_kept_to_be_drawn(work: Work) -> None:
    one = begun(work)
    conduct(Traffic(work).scene(), one)

    points = canaries.evidence(one)

    assert [point.verdict.evidence.second for point in points] == list(range(1, len(points) + 1))
    assert points[-1].verdict.evidence.percent == 100


def test_only_some_may_steer(work: Work, guest: Work) -> None:
    one = found(begun(work))

    for act in (actions.pause, actions.resume, actions.promote):
        with pytest.raises(Forbidden):
            act(guest, one)
    with pytest.raises(Forbidden):
        actions.approve(guest, one, percent=50)


def test_what_has_ended_is_not_steered(work: Work) -> None:
    one = begun(work)
    conduct(Traffic(work).scene(), one)

    with pytest.raises(Decided, match="The analysis of DEP-7 has ended: promoted"):
        actions.pause(work, found(one))


def test_what_is_not_judged_has_no_analysis(work: Work) -> None:
    with pytest.raises(NotJudged):
        queries.get("DEP-9")
