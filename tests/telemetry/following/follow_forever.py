"""Follows one log into a store of its own until it is killed. Run by test_killed."""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from steerway.platform import clock
from steerway.platform.settings import load
from steerway.telemetry import store as stores
from steerway.telemetry.following.rules.sources import Source
from steerway.telemetry.following.workflows.following import Follower
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.logs import queries
from steerway.telemetry.logs.rules.search import Filter
from steerway.telemetry.store import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def main(home: Path, log: Path, wanted: int) -> None:
    """Follow; when all wanted lines are there, print the texts of what is stored and end."""
    stores.open(load({"STEERWAY_HOME": str(home)}))
    intake = Intake(stores.current, now=clock.now, journal=home / "journal")
    intake.start()

    def settled() -> Store:
        intake.settle()
        return stores.current()

    follower = Follower(
        lambda: [Source(instance="a.0", path=log, service="a", environment="e", version="v")],
        partial(intake.add_logs, wait=True), store=settled, now=lambda: NOW,
        file=home / "places.json",
    )  # fmt: skip
    asked = Filter(since=NOW - timedelta(days=1), until=NOW + timedelta(days=1))
    while not wanted or queries.histogram(stores.current(), asked).total < wanted:
        follower.look()
        sys.stdout.write("looked\n")
        sys.stdout.flush()
        time.sleep(0.01)
    texts, after = [], ""
    while True:
        page = queries.search(stores.current(), asked, rows=1000, after=after)
        texts += [line.body for line in page.lines]
        after = page.next
        if not after:
            break
    sys.stdout.write(json.dumps(texts) + "\n")
    intake.stop()
    stores.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
