"""Versions change under visitors, and no visitor notices."""

import time

import pytest

from tests.journeys.installation import PATIENCE_SECONDS, Installation
from tests.journeys.visitors import visitors

pytestmark = pytest.mark.journey
SHORT_HEALTH = {"health": {"path": "/healthz", "timeout": "2s", "interval": "100ms"}}
ROLLBACK_SECONDS_MAX = 5.0


@pytest.mark.parametrize("strategy", ["blue-green", "rolling"])
def test_no_request_fails_while_versions_change_there_and_back(
    serving: Installation, strategy: str
) -> None:
    serving.apply(release={"strategy": strategy})

    with visitors(serving) as visit:
        serving.deploy("v2")
        serving.deploy("v1")
        serving.deploy("v2")
        serving.deploy("v1")

    assert visit.report["failed"] == 0, visit.report
    assert visit.versions() == {"v1", "v2"}
    assert serving.shop_version() == "v1"


def test_right_after_a_deployment_status_shows_what_runs(serving: Installation) -> None:
    serving.deploy("v1", "--force")

    line = next(one for one in serving.ok("status").splitlines() if "production" in one)

    assert "2/2" in line
    assert "serving" in line or "good" in line


def test_a_sick_version_never_gets_traffic_and_a_rollback_returns_to_what_was_good(
    serving: Installation,
) -> None:
    serving.apply()
    good = serving.deploy("v2", "--force")
    serving.apply(run={"environment": {"LOG_LEVEL": "warning"}})
    serving.deploy("v1", "--force")
    serving.apply(run=SHORT_HEALTH)

    with visitors(serving) as visit:
        code, _, stderr = serving.steerway("deploy", "shop", "--ref", "v2-sick")

    assert code == 1
    assert "is not healthy after 2 s: GET /healthz answers 503" in stderr
    assert "no such table: gift_wraps" in stderr  # the last lines of its log
    assert visit.report["failed"] == 0, visit.report
    assert visit.versions() == {"v1"}
    assert len(serving.replicas()) == 2

    started = time.monotonic()
    with visitors(serving) as visit:
        serving.ok("rollback", "shop")
    seconds = time.monotonic() - started

    back = serving.client.get("/api/deployments?service=shop&rows=1")[0]
    assert seconds < ROLLBACK_SECONDS_MAX < PATIENCE_SECONDS
    assert serving.shop_version() == "v2"
    assert back["config_digest"] == good["config_digest"]
    assert visit.report["failed"] == 0, visit.report
