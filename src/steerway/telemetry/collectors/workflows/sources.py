"""What each collector looks at, as sources that are looked at again and again."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from steerway.telemetry.collectors.adapters import certificates, host, processes
from steerway.telemetry.collectors.rules.kinds import Instance, Supplier
from steerway.telemetry.databases.adapters import postgresql, sqlite
from steerway.telemetry.databases.rules import Database, Sightings
from steerway.telemetry.scraping.adapters.fetch import fetch
from steerway.telemetry.scraping.errors import ScrapeFailed
from steerway.telemetry.scraping.rules.batch import Batch, Identify, Point, Track

SUPPLIER_LIMIT: Final = timedelta(seconds=5)
SUPPLIER_BYTES_MAX: Final = 1_000_000
ANSWERS: Final = 500


class Source(Protocol):
    """Something that is looked at again and again, by one thread at a time."""

    def look(self, ts_ms: int) -> tuple[Batch, ...]:
        """What is there now.

        Raises:
            SteerwayError: it cannot be looked at.
        """

    def end(self, ts_ms: int) -> tuple[Batch, ...]:
        """The end of its series."""


@dataclass(slots=True)
class Points:
    """A source that is a list of values."""

    points: Callable[[], Iterable[Point]]
    track: Track

    def look(self, ts_ms: int) -> tuple[Batch, ...]:
        """The values now; those that were there before and are not now end."""
        return (self.track.batch(list(self.points()), ts_ms),)

    def end(self, ts_ms: int) -> tuple[Batch, ...]:
        """The end of all."""
        return (self.track.end(ts_ms),)


@dataclass(frozen=True, slots=True)
class Sources:
    """Makes the sources. `instance` is what this host is called."""

    identify: Identify
    home: Path
    instance: str = field(default_factory=host.name)

    def host(self) -> Points:
        """This host."""
        return self._points(lambda: host.points(self.home), job="host")

    def processes(self, instances: Callable[[], Iterable[Instance]]) -> Points:
        """Programs that run here."""
        track = Track(self.identify, {"job": "process"})
        return Points(lambda: processes.points(instances()), track)

    def certificate(self, place: str) -> Points:
        """A file, a directory, or `host:port`."""
        of = certificates.of_file if place.startswith("/") else certificates.of_host
        return self._points(lambda: of(place), job="certificates")

    def sqlite(self, one: Database) -> Points:
        """A file of SQLite."""
        return Points(lambda: sqlite.points(Path(one.path)), Track(self.identify, one.labels))

    def postgresql(self, one: Database, url: Callable[[], str]) -> Points:
        """A PostgreSQL database; `url` is asked before each look, for it may change."""
        sightings = Sightings()
        track = Track(self.identify, one.labels)
        return Points(lambda: postgresql.points(url(), sightings), track)

    def supplier(self, one: Supplier) -> Points:
        """Somebody outside."""
        return Points(lambda: probed(one.url), Track(self.identify, one.labels))

    def flags(self, points: Callable[[], Iterable[Point]]) -> Points:
        """What is counted by flag and variant."""
        return Points(points, Track(self.identify, {"job": "flags"}))

    def own(self, points: Callable[[], Iterable[Point]]) -> Points:
        """Steerway itself."""
        track = Track(self.identify, {"job": "steerway", "service": "steerway"})
        return Points(points, track)

    def _points(self, points: Callable[[], Iterable[Point]], *, job: str) -> Points:
        return Points(points, Track(self.identify, {"job": job, "instance": self.instance}))


def probed(url: str) -> Iterable[Point]:
    """Whether an address answers, in the names of blackbox_exporter.

    An answer below 500 is one: whoever says that something is not there, is there.
    """
    began = time.perf_counter()
    try:
        answer = fetch(url, SUPPLIER_LIMIT, bytes_max=SUPPLIER_BYTES_MAX)
        status, not_after = answer.status, answer.not_after
    except ScrapeFailed:
        status, not_after = 0, None
    yield Point("probe_success", {}, float(0 < status < ANSWERS))
    yield Point("probe_duration_seconds", {}, time.perf_counter() - began)
    yield Point("probe_http_status_code", {}, status)
    if not_after is not None:
        yield Point("probe_ssl_earliest_cert_expiry", {}, not_after)
