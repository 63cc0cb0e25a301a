"""Reads one target again and again."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from steerway.telemetry.ingest.rules.samples import Series
from steerway.telemetry.scraping.adapters.fetch import OK, fetch
from steerway.telemetry.scraping.errors import PageRefused, ScrapeFailed
from steerway.telemetry.scraping.rules import labels as naming
from steerway.telemetry.scraping.rules.batch import Batch, Identify, Point, Track
from steerway.telemetry.scraping.rules.labels import Malformed
from steerway.telemetry.scraping.rules.page import Named, Page
from steerway.telemetry.scraping.rules.targets import Target


@dataclass(slots=True)
class Scraper:
    """One target, with what was on its page the last time. One look at a time."""

    target: Target
    identify: Identify
    failure: ScrapeFailed | None = None
    page: Page = field(init=False)
    about: Track = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self.page = Page(self._named)
        self.about = Track(self.identify, self.target.labels)

    def look(self, ts_ms: int) -> tuple[Batch, ...]:
        """The samples on the page, and `up`; without an answer, the end of its series.

        Never raises: what went wrong is in `failure`.
        """
        began = time.perf_counter()
        self.failure = None
        try:
            found = self._read(ts_ms)
            samples = 0 if self.page.layout is None else len(self.page.layout.ids)
        except ScrapeFailed as error:
            found, samples, self.failure = self.page.end(ts_ms), 0, error
        points = (
            Point("up", {}, 0.0 if self.failure else 1.0),
            Point("scrape_duration_seconds", {}, time.perf_counter() - began),
            Point("scrape_samples_scraped", {}, samples),
        )
        return found, self.about.batch(points, ts_ms)

    def end(self, ts_ms: int) -> tuple[Batch, ...]:
        """Stale markers for everything of a target that is not read any more."""
        return self.page.end(ts_ms), self.about.end(ts_ms)

    def _read(self, ts_ms: int) -> Batch:
        target = self.target
        answer = fetch(target.url, target.timeout)
        if answer.status != OK:
            raise PageRefused(url=target.url, why=f"it answers {answer.status}")
        try:
            return self.page.read(answer.body, ts_ms, seconds=answer.is_openmetrics)
        except Malformed as error:
            raise PageRefused(url=target.url, why=str(error)) from error

    def _named(self, metric: str, labels: Mapping[str, str]) -> Named:
        whole = naming.attached(labels, self.target.labels)
        return Named(self.identify(metric, whole), Series(metric, whole))
