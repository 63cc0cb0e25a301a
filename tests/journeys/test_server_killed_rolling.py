"""The server is killed while traffic is on two versions, and while a failure is undone."""

from typing import Final

import pytest

from tests.journeys.installation import Installation
from tests.journeys.killing import assert_ended_once, walk

# Two waves: traffic is on both versions while the server is away.
TWO_WAVES: Final = [
    *("leave start", "after envoy.apply", "leave switch", "after supervisor.stop", "leave drain"),
    *("leave verify", "leave switch", "leave drain", "leave retire"),
]
UNDOING: Final = ["enter undo", "after supervisor.remove", "leave undo"]
SICK_SECOND: Final = "sh -c 'test $STEERWAY_REPLICA = 1 && exit 3; exec python -m shop'"


@pytest.mark.journey
def test_a_rolling_deployment_ends_once_though_the_server_is_killed_in_each_step(
    crashing: Installation,
) -> None:
    crashing.apply(release={"strategy": "rolling"})

    ended = walk(crashing, TWO_WAVES, "v2")

    assert ended["state"] == "succeeded"
    assert crashing.shop_version() == "v2"
    assert_ended_once(crashing, ended, "implemented")


@pytest.mark.journey
def test_an_undoing_ends_once_though_the_server_is_killed_in_it(crashing: Installation) -> None:
    before = crashing.shop_version()
    health = {"path": "/healthz", "timeout": "2s", "interval": "100ms"}
    crashing.apply(run={"health": health})

    ended = walk(crashing, UNDOING, "v2-sick")

    assert ended["state"] == "failed"
    assert crashing.shop_version() == before
    assert_ended_once(crashing, ended, "failed")


@pytest.mark.journey
def test_a_rolling_deployment_that_fails_half_way_gives_all_traffic_back(
    crashing: Installation,
) -> None:
    before = crashing.shop_version()
    crashing.apply(run={"command": SICK_SECOND}, release={"strategy": "rolling"})

    ended = walk(crashing, ["leave drain", *UNDOING], "v1")

    assert ended["state"] == "failed"
    assert crashing.shop_version() == before
    assert_ended_once(crashing, ended, "failed")
