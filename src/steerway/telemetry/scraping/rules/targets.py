"""What is scraped: targets, and how a declared page becomes those of its replicas."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from steerway.telemetry.scraping.descriptor import ScrapeSection

TIMEOUT: Final = timedelta(seconds=10)
TARGETS_MAX: Final = 2_000
INTERVAL: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Target:
    """One page. `labels` go to every series of it."""

    url: str
    labels: Mapping[str, str] = field(hash=False)
    interval: timedelta = INTERVAL

    @property
    def timeout(self) -> timedelta:
        """How long an answer may take: never until the next one is due."""
        return min(self.interval, TIMEOUT)


@dataclass(frozen=True, slots=True)
class Instance:
    """A running replica, as its series call it."""

    service: str
    environment: str
    version: str
    name: str
    port: int | None


def targets(
    pages: Mapping[tuple[str, str], Iterable[ScrapeSection]], instances: Iterable[Instance]
) -> list[Target]:
    """Every page of every running replica, and each exporter once.

    `pages` are those that a service declares in an environment.
    """
    found = [
        _exporter(place, page) for place, declared in pages.items() for page in declared if page.url
    ]
    for one in instances:
        for page in pages.get((one.service, one.environment), ()):
            port = one.port if page.port == "run" else page.port
            if not page.url and port is not None:
                found.append(_of_replica(one, page, port))
    return found[:TARGETS_MAX]


def static(addresses: Iterable[str]) -> list[Target]:
    """Pages that the settings name, as `http://host:9100/metrics` or `job=http://…`."""
    return [_static(one) for one in addresses]


def _static(text: str) -> Target:
    job, named, url = text.partition("=")
    if not named or "://" in job:
        job, url = urlsplit(text).netloc, text
    return Target(url, {"job": job, "instance": urlsplit(url).netloc})


def _exporter(place: tuple[str, str], page: ScrapeSection) -> Target:
    service, environment = place
    labels = {
        "job": page.job or service,
        "instance": urlsplit(page.url).netloc,
        "service": service,
        "environment": environment,
    }
    return Target(page.url, labels, page.interval)


def _of_replica(one: Instance, page: ScrapeSection, port: int) -> Target:
    labels = {
        "job": page.job or one.service,
        "instance": one.name,
        "service": one.service,
        "environment": one.environment,
        "version": one.version,
    }
    return Target(f"http://127.0.0.1:{port}{page.path}", labels, page.interval)
