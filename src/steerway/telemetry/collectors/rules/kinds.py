"""The collectors there are, and what happens to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Name, and what it looks at. The name is also what people pause.
KINDS: Final[Mapping[str, str]] = {
    "scrape": "Pages of metrics that services and exporters show.",
    "host": "Processors, memory, disks, file systems, network and pressure of this host.",
    "processes": "Processes of replicas, of the router, of supervisord and of the server.",
    "router": "Requests, attempts, durations and healthy replicas, by version.",
    "databases": "Databases that services declare, and Steerway's own.",
    "suppliers": "Whether declared suppliers answer.",
    "certificates": "When certificates end, of files and of hosts.",
    "flags": "How often each variant of a flag was given, and how requests ended with it.",
    "steerway": "Steerway itself: queues, workflows, the log, the store.",
}
EVENTS: Final[Mapping[str, str]] = {
    "collector.paused": "Somebody paused a collector; what it looks at is not seen.",
    "collector.resumed": "A collector looks again.",
}


@dataclass(frozen=True, slots=True)
class Instance:
    """A program that runs. `pid` is None while it does not.

    What a replica starts is a part of it; what supervisord starts is not a part of that.
    """

    labels: Mapping[str, str]
    pid: int | None
    is_replica: bool = False


@dataclass(frozen=True, slots=True)
class Supplier:
    """Somebody outside who should answer."""

    name: str
    service: str
    environment: str
    url: str

    @property
    def labels(self) -> dict[str, str]:
        """What all its series have."""
        return {
            "job": "supplier",
            "service": self.service,
            "environment": self.environment,
            "supplier": self.name,
        }


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the router calls a version, in the words of people."""

    service: str
    environment: str
    version: str
    deployment: str


@dataclass(frozen=True, slots=True)
class Healthy:
    """How many replicas of a version may have traffic, and of how many."""

    deployed: Deployed
    healthy: int
    all: int
