"""The server is killed in every step of a deployment; the deployment ends once all the same."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from steerway.app.sites import supervisor_of
from steerway.delivery.runtimes.rules import Program
from steerway.platform import settings
from tests.journeys import processes
from tests.journeys.conftest import Founder
from tests.journeys.installation import Installation, kind_of, until
from tests.journeys.visitors import visitors

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
# Two waves: traffic is on both versions while the server is away.
TWO_WAVES: Final = [
    *("leave start", "after envoy.apply", "leave switch", "after supervisor.stop", "leave drain"),
    *("leave verify", "leave switch", "leave drain", "leave retire"),
]
UNDOING: Final = ["enter undo", "after supervisor.remove", "leave undo"]
MINUTES: Final = 150.0
SICK_SECOND: Final = "sh -c 'test $STEERWAY_REPLICA = 1 && exit 3; exec python -m shop'"


@pytest.fixture(scope="module")
def crashing(found: Founder) -> Installation:
    """A Steerway whose shop serves v1 and whose server crashes as it is told."""
    installation = found()
    installation.start()
    installation.deploy("v1")
    supervisor = supervisor_of(settings.load(installation.environment))
    names = ("HOME", "PORT", "ROUTER_PORT", "REPLICA_PORTS")
    supervisor.add(
        Program(
            name="server",
            command=(sys.executable, str(Path(__file__).with_name("crashing_server.py"))),
            directory=installation.home,
            log=installation.home / "log" / "server.log",
            environment={
                f"STEERWAY_{name}": installation.environment[f"STEERWAY_{name}"] for name in names
            },
        )
    )
    supervisor.start("server")
    until(installation.answers, "the crashing server answers")
    return installation


def walk(installation: Installation, points: list[str], ref: str) -> dict[str, Any]:
    """Deploy while the server is killed at each point; the deployment at its end."""
    plan = installation.home / "crashes.json"
    plan.write_text(json.dumps(points))
    with visitors(installation, rate=50) as visit:
        deployment = installation.begin(ref)
        ended = installation.ended(deployment, MINUTES)
        until(lambda: json.loads(plan.read_text()) == [], "the last crash", MINUTES)
        until(installation.answers, "the server is back")
    assert visit.report["failed"] == 0, visit.report
    return ended


def assert_ended_once(installation: Installation, ended: dict[str, Any], outcome: str) -> None:
    """One end of the deployment, one of its change, and nothing beside what should run."""
    events = installation.events()
    mine = Counter(kind_of(event) for event in events if event["subject"] == ended["ref"])
    change = Counter(kind_of(event) for event in events if event["subject"] == ended["change"])
    assert mine[f"deployment.{ended['state']}"] == 1
    assert mine["deployment.requested"] == 1
    assert change == {"change.opened": 1, f"change.{outcome}": 1}
    assert installation.steerway("log", "verify").code == 0
    assert_tidy(installation)


def assert_tidy(installation: Installation) -> None:
    """Two replicas run, and no program, process or file of others."""
    replicas = installation.replicas()
    assert len(replicas) == 2
    assert installation.programs() == sorted([*replicas, "router", "server"])
    assert not list((installation.home / "builds").iterdir())
    commands = processes.of(installation.home).values()
    assert len([one for one in commands if "-m shop" in one]) == 2


@pytest.mark.journey
@pytest.mark.xdist_group("killed-1")
def test_a_deployment_ends_once_though_the_server_is_killed_in_each_step(
    crashing: Installation,
) -> None:
    ended = walk(crashing, EVERY, "v2")

    assert ended["state"] == "succeeded"
    assert crashing.shop_version() == "v2"
    assert_ended_once(crashing, ended, "implemented")


@pytest.mark.journey
@pytest.mark.xdist_group("killed-2")
def test_a_rolling_deployment_ends_once_though_the_server_is_killed_in_each_step(
    crashing: Installation,
) -> None:
    crashing.apply(release={"strategy": "rolling"})

    ended = walk(crashing, TWO_WAVES, "v2")

    assert ended["state"] == "succeeded"
    assert crashing.shop_version() == "v2"
    assert_ended_once(crashing, ended, "implemented")


@pytest.mark.journey
@pytest.mark.xdist_group("killed-2")
def test_an_undoing_ends_once_though_the_server_is_killed_in_it(crashing: Installation) -> None:
    before = crashing.shop_version()
    health = {"path": "/healthz", "timeout": "2s", "interval": "100ms"}
    crashing.apply(run={"health": health})

    ended = walk(crashing, UNDOING, "v2-sick")

    assert ended["state"] == "failed"
    assert crashing.shop_version() == before
    assert_ended_once(crashing, ended, "failed")


@pytest.mark.journey
@pytest.mark.xdist_group("killed-2")
def test_a_rolling_deployment_that_fails_half_way_gives_all_traffic_back(
    crashing: Installation,
) -> None:
    before = crashing.shop_version()
    crashing.apply(run={"command": SICK_SECOND}, release={"strategy": "rolling"})

    ended = walk(crashing, ["leave drain", *UNDOING], "v1")

    assert ended["state"] == "failed"
    assert crashing.shop_version() == before
    assert_ended_once(crashing, ended, "failed")
