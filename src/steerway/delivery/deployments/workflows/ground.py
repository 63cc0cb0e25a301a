"""What a deployment stands on: the outside systems, built once when the server starts."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from steerway.delivery.analyses.rules.pulse import Pulse
from steerway.delivery.builds.adapters.builder import Builder
from steerway.delivery.declarations.rules.documents import file_of
from steerway.delivery.releases.adapters.store import Store
from steerway.delivery.repositories.adapters.git import Git
from steerway.delivery.router.adapters.envoy import Envoy
from steerway.delivery.runtimes.adapters.supervisor import Supervisor
from steerway.platform.work import Work


@dataclass(frozen=True, slots=True)
class Ground:
    """The outside systems of one installation, and Steerway's own hand."""

    home: Path
    replica_ports: tuple[int, int]
    git: Git
    builder: Builder
    store: Store
    supervisor: Supervisor
    envoy: Envoy
    work: Callable[[], Work]
    telemetry: str = ""  # where replicas send theirs to; empty for nowhere
    node: str = ""  # which server this is, among those that share a database
    # What serves and will be compared with, replica by replica.
    pulse: Pulse = field(default_factory=Pulse)
    # The router's files are composed from records and then written; two writers at once could
    # write the older state last.
    routing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def log(self) -> Path:
        """Where replicas write what they print."""
        return self.home / "log"

    def state_of(self, service: str, environment: str) -> Path:
        """The directory of a service's own files, kept from release to release."""
        return self.home / "state" / service / environment

    def flags_of(self, service: str, environment: str) -> Path:
        """The file in which a service finds its flags, whether it has some now or not."""
        return file_of(self.home, service, environment)
