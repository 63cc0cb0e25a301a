"""Steerway's scraping alone: collectors, intake and store, without the rest of the server.

python server.py HOME URL…
"""

import json
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from steerway.platform import clock
from steerway.platform.settings import load
from steerway.telemetry import store
from steerway.telemetry.collectors.rules.board import Board
from steerway.telemetry.collectors.workflows.running import Collectors, Task
from steerway.telemetry.ingest.rules.samples import Samples
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.scraping.rules.batch import Batch
from steerway.telemetry.scraping.rules.targets import Target
from steerway.telemetry.scraping.workflows import Scraper
from steerway.telemetry.store import series_id

SERIES: Final = 1_000_000
WINDOW: Final = """
SELECT countIf(metric LIKE 'app_%') AS samples,
       avgIf(value, metric = 'scrape_duration_seconds') AS page_seconds
FROM samples WHERE toFloat64(ts) BETWEEN {begin:Float64} AND {end:Float64}
"""


def main() -> None:
    home = Path(sys.argv[1])
    store.open(load({"STEERWAY_HOME": str(home)}))
    intake = Intake(
        store.current, now=clock.now, journal=home / "ingest", series_max=lambda _: SERIES
    )
    intake.start()

    def take(batch: Batch) -> None:
        samples = Samples(batch.metrics, batch.ids, batch.ts_ms, batch.values)
        intake.add_samples(samples, batch.series)

    def task(url: str) -> Task:
        labels = {"job": "app", "instance": url}
        target = Target(url, labels, timedelta(seconds=1))
        return Task("scrape", url, 1.0, partial(Scraper, target, series_id))

    tasks = [task(url) for url in sys.argv[2:]]
    collectors = Collectors(
        lambda: tasks, sink=take, paused=frozenset, board=Board(), now=clock.now
    )
    collectors.start()
    begin, end = sys.stdin.readline().split()
    collectors.stop()
    intake.stop()
    window = {"begin": float(begin), "end": float(end)}
    print(json.dumps(store.current().table(WINDOW, window).to_pylist()[0]), flush=True)
    store.close()


if __name__ == "__main__":
    main()
