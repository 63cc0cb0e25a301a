"""Every layer of a service is seen, and one that goes silent is not green any more."""

from typing import Any

import pytest

from tests.journeys.conftest import Founder
from tests.journeys.installation import Installation, until

pytestmark = pytest.mark.journey
LAYERS = ("application", "process", "host", "router", "database")


@pytest.fixture(scope="module")
def watched(found: Founder) -> Installation:
    """A Steerway that is soon impatient, with a shop that serves v1."""
    installation = found(STEERWAY_SILENCE_SECONDS="6")
    installation.start()
    installation.deploy("v1")
    return installation


def seen(installation: Installation) -> dict[str, str]:
    """How the metrics of each layer are in production."""
    grids: list[dict[str, Any]] = installation.client.get("/api/coverage/shop")
    production = next(one for one in grids if one["environment"] == "production")
    cells = [one for one in production["cells"] if one["signal"] == "metrics"]
    return {one["layer"]: one["state"] for one in cells if one["layer"] in LAYERS}


def test_a_collector_that_stops_turns_its_cell_stale_and_comes_back(watched: Installation) -> None:
    fresh = dict.fromkeys(LAYERS, "fresh")
    until(lambda: seen(watched) == fresh, "every layer is seen")

    watched.ok("telemetry", "pause", "host", "--reason", "new disks")
    silent = fresh | {"host": "stale"}
    until(lambda: seen(watched) == silent, "the cell of the host is stale and no other")
    said = watched.ok("coverage", "shop")
    until(lambda: "telemetry.stale" in watched.types(), "the log says so")
    watched.ok("telemetry", "resume", "host")
    until(lambda: seen(watched)["host"] == "fresh", "the host is seen again")

    assert "✗ stale" in said
    stale = [one for one in watched.events() if one["type"].endswith("telemetry.stale")]
    assert "shop host metrics" in {one["subject"] for one in stale}
    assert "collector.paused" in watched.types()
