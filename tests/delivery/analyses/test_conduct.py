"""An analysis from its first second to its end, on counters as a router would give them."""

import pytest

from steerway.delivery.analyses.errors import Worse
from steerway.delivery.analyses.rules.comparing import Reply, with_replies
from steerway.delivery.analyses.rules.crowds import crowds
from steerway.delivery.analyses.workflows import conduct
from steerway.delivery.canaries import queries as canaries
from steerway.platform.work import Work
from tests.delivery.analyses.simulated import TooLong, Traffic, begun, found, types

pytestmark = [pytest.mark.django_db, pytest.mark.database]


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
