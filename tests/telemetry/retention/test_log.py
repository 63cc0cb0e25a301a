"""What is dropped for room is in the log."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from steerway.app.telemetry import Telemetry
from steerway.platform.log import queries as log
from steerway.platform.log.queries import Filter
from steerway.platform.settings import load
from steerway.platform.work import Work
from steerway.telemetry.store import Store
from tests.telemetry.seeding import seed


def test_what_is_trimmed_is_in_the_log_with_its_reason(
    store: Store, work: Work, telemetry_home: Path
) -> None:
    settings = replace(load({"STEERWAY_HOME": str(telemetry_home.parent)}), telemetry_gigabytes=0)
    seed(store, "logs", [{"ts": work.now - timedelta(days=1), "body": "first"}])

    Telemetry(settings).keep(work, store)

    (entry,) = log.newest(Filter(type="telemetry.trimmed"), rows=10)
    assert entry.subject == "logs"
    assert json.loads(entry.data)["reason"] == "the limit of 0 GB"
    assert store.table("SELECT count() AS n FROM logs")["n"][0].as_py() == 0
