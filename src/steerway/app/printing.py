"""What is followed on this server: the logs of replicas, the access log, and spans."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from steerway import __version__
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.router.rules import cluster_name
from steerway.delivery.runtimes import queries as runtimes
from steerway.delivery.runtimes.models import Replica
from steerway.planning.catalog import queries as catalog
from steerway.platform import clock
from steerway.platform.db import reading
from steerway.platform.keys import key
from steerway.platform.secrets.sealing import unseal
from steerway.platform.settings import Settings
from steerway.telemetry import store
from steerway.telemetry.following.descriptor import LogsSection
from steerway.telemetry.following.rules.sources import Source
from steerway.telemetry.following.workflows.following import Follower
from steerway.telemetry.following.workflows.requests import RequestFollower
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.store import Store
from steerway.telemetry.traces.workflows import Meter

# What runs, and what it is called, is asked for so often and not at every look.
KNOWN_FOR: Final = timedelta(seconds=5)
# What a replica printed last is read after it is gone, also when the server was gone meanwhile.
GONE_FOR: Final = timedelta(minutes=10)
RECENT_MAX: Final = 200

STEERWAY: Final = "steerway"

Place = tuple[str, str]


class Printing:
    """Follows what is printed and answered here into the store."""

    def __init__(self, ground: Ground, settings: Settings, intake: Intake) -> None:
        self._ground = ground
        self._intake = intake
        self._settings = settings
        self._asked_at: datetime | None = None
        self._sources: list[Source] = []
        self._versions: dict[str, str] = {}
        self._opened: dict[tuple[str, str], str] = {}
        self.lines = Follower(
            self.sources,
            partial(intake.add_logs, wait=True),
            store=self._settled,
            now=clock.now,
            file=settings.run / "read-lines.json",
        )
        self.requests = RequestFollower(
            settings.log / "access.log",
            self.versions,
            partial(intake.add_requests, wait=True),
            store=self._settled,
            file=settings.run / "read-requests.json",
        )
        self.meter = Meter(
            partial(intake.add_samples, wait=True), store=self._settled, now=clock.now
        )

    def sources(self) -> Sequence[Source]:
        """The replicas of this server whose logs are followed."""
        self._ask()
        return self._sources

    def versions(self) -> Mapping[str, str]:
        """What people call a version, by the router's name for it."""
        self._ask()
        return self._versions

    def _settled(self) -> Store:
        """The store, once it has what waits in the journal, also of a server that was killed."""
        self._intake.settle()
        return store.current()

    def _ask(self) -> None:
        now = clock.now()
        if self._asked_at is not None and now - self._asked_at < KNOWN_FOR:
            return
        with reading():
            services = list(catalog.living_on(self._ground.node))
            sections = catalog.sections(services, "telemetry")
            replicas = runtimes.printing(services, since=now - GONE_FOR)
            found = deployments.by_ids({one.deployment_id for one in replicas})
            recent = [*deployments.all_serving(services), *deployments.newest(rows=RECENT_MAX)]
        named = {one.id: one for one in (*recent, *found)}
        self._versions = {_name(one): one.version for one in named.values()}
        self._sources = [self._own(), *self._found(replicas, named, sections)]
        self._asked_at = now

    def _own(self) -> Source:
        """What this server says of itself; its log of events is another thing."""
        return Source(
            instance="server",
            path=self._settings.log / "server.log",
            service=STEERWAY,
            environment="",
            version=__version__,
            source=STEERWAY,
        )

    def _found(
        self,
        replicas: Sequence[Replica],
        named: Mapping[Any, Deployment],
        sections: Mapping[Place, Any],
    ) -> list[Source]:
        # A replica that is gone has forgotten its secrets; those beside it had the same.
        values: dict[Place, set[str]] = {}
        for one in replicas:
            values.setdefault((one.service, one.environment), set()).update(self._secrets(one))
        return [
            self._source(one, named, sections, values[one.service, one.environment])
            for one in replicas
        ]

    def _source(
        self,
        one: Replica,
        named: Mapping[Any, Deployment],
        sections: Mapping[Place, Any],
        values: Iterable[str],
    ) -> Source:
        declared = sections.get((one.service, one.environment), {}).get("logs", {})
        section = LogsSection.stored(declared)
        return Source(
            instance=one.program,
            path=self._settings.log / f"{one.program}.log",
            service=one.service,
            environment=one.environment,
            version=named[one.deployment_id].version if one.deployment_id in named else "",
            secrets=tuple(sorted(values)),
            is_joining=section.multiline == "auto",
            is_text=section.format == "text",
            is_over=one.retired_at is not None,
        )

    def _secrets(self, one: Replica) -> list[str]:
        """The values that a replica was started with, which it may print."""
        if not one.spec:
            return []
        found = [self._value(sealed.name, sealed.text) for sealed in one.to_run().secrets.values()]
        # The token that it sends telemetry with, also without the words of the header around it.
        return found + [one.rpartition("%20")[2] for one in found if "=Bearer%20" in one]

    def _value(self, name: str, sealed: str) -> str:
        if (name, sealed) not in self._opened:
            if len(self._opened) > RECENT_MAX:
                self._opened.clear()
            self._opened[name, sealed] = unseal(key(self._settings.home, "secrets"), name, sealed)
        return self._opened[name, sealed]


def _name(one: Deployment) -> str:
    return cluster_name(one.service, one.environment, one.id)
