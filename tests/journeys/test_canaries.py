"""New versions earn their traffic under visitors; those that are worse are gone again."""

import contextlib
import os
import re
import signal
from typing import Any, Final

import pytest

from tests.journeys.conftest import Founder, Record
from tests.journeys.installation import Installation, until
from tests.journeys.visitors import visitors

pytestmark = pytest.mark.journey
GETS: Final = "/=20,/catalog=60,/orders=20"
CANARY: Final = {
    "steps": [20, 50],
    "shortest": "1s",
    "longest": "10s",
    "bake": "1s",
    "watch": ["errors"],
    "attempts": 1,
}


@pytest.fixture(scope="module")
def earning(found: Founder) -> Installation:
    """A Steerway whose shop serves v1, and whose next versions must earn their traffic."""
    installation = found()
    installation.start()
    installation.deploy("v1")
    apply(installation)
    return installation


def apply(installation: Installation, **canary: Any) -> None:
    installation.apply(
        release={"strategy": "canary", "canary": CANARY | canary, "drain": "6s"},
        run={"stop": {"signal": "TERM", "grace": "1s"}},
    )


def judged(installation: Installation, ref: str) -> None:
    """Return once the version has its first share of the traffic."""

    def is_judging() -> bool:
        steps = {one["name"]: one["state"] for one in installation.deployment(ref)["steps"]}
        return steps["judge"] == "running"

    until(is_judging, f"{ref} is judged")


def new_replicas(installation: Installation, before: list[str]) -> list[str]:
    return [one for one in installation.replicas() if one not in before]


def test_a_worse_version_is_rolled_back_though_the_server_is_killed_meanwhile(
    earning: Installation, record_property: Record
) -> None:
    before = earning.replicas()

    with visitors(earning) as visit:
        ref = earning.begin("v3-bad")
        judged(earning, ref)
        earning.kill("server")
        ended = earning.ended(ref)

    assert ended["state"] == "rolled-back", ended
    assert "Worse, by errors" in ended["error"]
    assert earning.shop_version() == "v1"
    assert earning.replicas() == before
    assert visit.gets_failed() == 0, visit.report
    record_property("failed while v3-bad was found out", visit.report["failed"])
    types = earning.types()
    assert types.count("analysis.worse") == types.count("deployment.rolled-back") == 1
    earning.ok("log", "verify")

    code, _, stderr = earning.steerway("deploy", "shop", "--ref", "v3-bad")
    assert code == 1
    assert "v3-bad was found worse 1 times" in stderr


def test_a_version_that_hangs_is_down_and_nobody_waits_for_it(earning: Installation) -> None:
    before = earning.replicas()
    apply(earning, shortest="30s", longest="60s")

    with visitors(earning, mix=GETS) as visit:
        ref = earning.begin("v2")
        judged(earning, ref)
        for pid in earning.pids(*new_replicas(earning, before)).values():
            os.kill(pid, signal.SIGSTOP)
        ended = earning.ended(ref)

    assert ended["state"] == "rolled-back", ended
    # Its health checks and its first timeouts come at about the same time.
    assert re.search(r"no replica of the new version has answered|Worse, by errors", ended["error"])
    assert visit.report["failed"] == 0, visit.report


def test_a_version_that_keeps_ending_is_rolled_back(earning: Installation) -> None:
    before = earning.replicas()
    apply(earning, shortest="30s", longest="60s", watch=["errors", "crashes"], attempts=9)

    with visitors(earning, mix=GETS) as visit:
        ref = earning.begin("v2")
        judged(earning, ref)
        replicas = new_replicas(earning, before)

        def kill_again() -> bool:
            for program in replicas:
                # Between its end and its next start it has no process.
                with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
                    earning.kill(program)
            return earning.deployment(ref)["state"] != "running"

        until(kill_again, "it is found out")
        ended = earning.ended(ref)

    assert ended["state"] == "rolled-back", ended
    assert visit.report["failed"] == 0, visit.report


def test_a_good_version_earns_everything_and_can_be_held_and_cancelled_on_the_way(
    earning: Installation,
) -> None:
    apply(earning, attempts=9)
    with visitors(earning) as visit:
        ref = earning.begin("v2")
        judged(earning, ref)
        earning.ok("canary", "pause", ref)
        assert "stays at" in earning.ok("canary", "pause", ref)
        earning.ok("cancel", ref)
        assert earning.ended(ref)["state"] == "cancelled"
        assert earning.shop_version() == "v1"

        done = earning.deploy("v2")

    assert done["state"] == "succeeded"
    assert earning.shop_version() == "v2"
    assert visit.report["failed"] == 0, visit.report
    assert visit.versions() == {"v1", "v2"}
    shown = earning.ok("canary", "show", done["ref"])
    assert "v2 beside v1" in shown
    assert "promoted" in shown
