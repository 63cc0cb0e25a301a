"""The server is killed in every step of a deployment; the deployment ends once all the same."""

from typing import Final

import pytest

from tests.journeys.installation import Installation
from tests.journeys.killing import assert_ended_once, walk

BEFORE: Final = ("preflight", "build", "install", "configure")
WAVE: Final = ("start", "verify", "switch", "drain")
# In the middle of a step: the outside has changed, and neither record nor workflow knows. At
# "leave" all of the step is done and recorded, and the workflow does not know.
MIDDLE: Final = {
    "build": ["after store.put", "after store.install"],
    "start": ["after supervisor.add", "after supervisor.start"],
    "switch": ["after envoy.apply"],
    "drain": ["after envoy.apply", "after supervisor.stop"],
    "retire": ["after supervisor.remove", "after envoy.apply"],
}
EVERY: Final = [
    "enter preflight",
    *(
        point
        for step in (*BEFORE, *WAVE, "retire", "conclude")
        for point in (*MIDDLE.get(step, ()), f"leave {step}")
    ),
]


@pytest.mark.journey
def test_a_deployment_ends_once_though_the_server_is_killed_in_each_step(
    crashing: Installation,
) -> None:
    ended = walk(crashing, EVERY, "v2")

    assert ended["state"] == "succeeded"
    assert crashing.shop_version() == "v2"
    assert_ended_once(crashing, ended, "implemented")
