"""A server that is killed at planned points, and what must be true at the end."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from steerway.app.sites import supervisor_of
from steerway.delivery.runtimes.rules import Program
from steerway.platform import settings
from tests.journeys import processes
from tests.journeys.installation import Installation, kind_of, until
from tests.journeys.visitors import visitors

MINUTES: Final = (
    300.0  # a busy machine starts a server in five seconds, and it is killed twenty times
)


def plant(installation: Installation) -> None:
    """Put a server in the place of the real one that crashes as it is told."""
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


def walk(installation: Installation, points: list[str], ref: str) -> dict[str, Any]:
    """Deploy while the server is killed at each point; the deployment at its end."""
    plan = installation.home / "crashes.json"
    plan.write_text(json.dumps(points))
    with visitors(installation, rate=50) as visit:
        deployment = installation.begin(ref)
        ended = installation.ended(deployment, MINUTES)
        until(lambda: json.loads(plan.read_text()) == [], "the last crash", MINUTES)
        killed = int((installation.home / "killed.txt").read_text())
        until(lambda: not processes.is_alive(killed), "the last one is dead")
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
