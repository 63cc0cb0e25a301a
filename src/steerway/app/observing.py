"""What the collectors look at, from what the catalog declares and from what runs."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pyarrow as pa

from steerway.app.observing_flags import FlagCounts
from steerway.app.observing_own import own_points
from steerway.app.watching import ASKED
from steerway.control.coverage.workflows import Watch
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.flags.adapters.files import FlagFiles
from steerway.delivery.router.adapters import programs
from steerway.delivery.router.rules import cluster_name
from steerway.delivery.runtimes import queries as runtimes
from steerway.delivery.runtimes.models import Replica
from steerway.planning.catalog import queries as catalog
from steerway.platform import clock
from steerway.platform.db import Remembered, reading
from steerway.platform.keys import key
from steerway.platform.secrets import queries as secrets
from steerway.platform.secrets.sealing import unseal
from steerway.platform.settings import Settings
from steerway.telemetry import store
from steerway.telemetry.collectors import queries as collectors
from steerway.telemetry.collectors.descriptor import SupplierSection
from steerway.telemetry.collectors.rules.board import Board
from steerway.telemetry.collectors.rules.kinds import Deployed, Healthy, Instance, Supplier
from steerway.telemetry.collectors.workflows.routing import RouterSource
from steerway.telemetry.collectors.workflows.running import Collectors, Task
from steerway.telemetry.collectors.workflows.sources import Sources
from steerway.telemetry.coverage.rules import SILENCE_MAX
from steerway.telemetry.databases.descriptor import ObservedDatabaseSection
from steerway.telemetry.databases.rules import Database
from steerway.telemetry.ingest.rules.samples import Samples
from steerway.telemetry.ingest.rules.tables import SCHEMAS
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.scraping.descriptor import ScrapeSection
from steerway.telemetry.scraping.rules.batch import Batch
from steerway.telemetry.scraping.rules.targets import Instance as Page
from steerway.telemetry.scraping.rules.targets import Target, static, targets
from steerway.telemetry.scraping.workflows import Scraper
from steerway.telemetry.store import series_id

STATISTICS: Final = r"/stats/prometheus?filter=^(req|att)\.(requests|duration)"
STEERWAY: Final = "steerway"
NAMES_MAX: Final = 1_000  # versions that the router may still count
# Seconds between two looks.
ROUTER: Final = 1.0
USUAL: Final = 15.0
OUTSIDE: Final = 30.0
SLOW: Final = 60.0
LOOKS: Final = 4  # at least, within the silence after which a signal is stale

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Running:
    """The replicas that should run here, and what their deployments are called."""

    replicas: list[Replica]
    versions: Mapping[UUID, Deployment]

    def labels(self, one: Replica) -> dict[str, str]:
        """What the series of a replica have."""
        return {
            "service": one.service,
            "environment": one.environment,
            "version": self.versions[one.deployment_id].version,
            "instance": one.program,
        }


class Observing:
    """Everything that is looked at on this server."""

    def __init__(self, ground: Ground, settings: Settings, intake: Intake, board: Board) -> None:
        self._ground = ground
        self._settings = settings
        self._intake = intake
        self._board = board
        self._sources = Sources(series_id, settings.home)
        self._names: dict[str, Deployed] = {}
        self._known = Remembered(self._ask)
        self.collectors = Collectors(
            self.tasks,
            sink=self._take,
            paused=Remembered(collectors.paused),
            board=board,
            now=clock.now,
        )
        silence = min(timedelta(seconds=settings.silence_seconds), SILENCE_MAX)
        self._usual = min(USUAL, silence.total_seconds() / LOOKS)
        self.watch = Watch(store.current, self.services, ground.work, silence)

    def start(self) -> None:
        """Begin to look."""
        self.collectors.start()

    def stop(self) -> None:
        """Look no more."""
        self.collectors.stop()

    def services(self) -> list[str]:
        """The services that live here."""
        return list(catalog.living_on(self._ground.node))

    def tasks(self) -> list[Task]:
        """What there is to look at now."""
        found, running = self._known()
        return [
            *self._standing(),
            *self._pages(found, running),
            *self._databases(found),
            *self._suppliers(found),
        ]

    def _ask(self) -> tuple[Mapping[Place, Any], Running]:
        return catalog.sections(self.services(), "telemetry"), self._running()

    def _standing(self) -> Iterator[Task]:
        """What is there in every installation."""
        make, settings = self._sources, self._settings
        yield Task("host", make.instance, self._usual, make.host)
        yield Task("processes", "replicas", self._usual, partial(make.processes, self._instances))
        yield Task("router", "router", ROUTER, self._router)
        own = partial(own_points, self._board, self._intake)
        yield Task("steerway", "server", self._usual, partial(make.own, own))
        flags = FlagCounts(FlagFiles(settings.home), ASKED, self.services, self._replicas)
        yield Task("flags", "variants", self._usual, partial(make.flags, flags.points))
        for place in settings.certificates:
            yield Task("certificates", place, SLOW, partial(make.certificate, place))
        for target in static(settings.scrape):
            yield self._scrape(target)
        for file in ("records.db", "workflows.db"):
            if not settings.database_url:
                one = Database(file.removesuffix(".db"), STEERWAY, "", str(settings.home / file))
                yield self._sqlite(one)
        if settings.database_url:
            one = Database("records", STEERWAY, "")
            make_it = partial(make.postgresql, one, lambda: settings.database_url)
            yield Task("databases", "Steerway's own", self._usual, make_it)

    def _pages(self, found: Mapping[Place, Any], running: Running) -> Iterator[Task]:
        declared = {
            place: [ScrapeSection.stored(page) for page in section.get("scrape", ())]
            for place, section in found.items()
        }
        instances = [
            Page(
                one.service, one.environment, running.labels(one)["version"], one.program, one.port
            )
            for one in running.replicas
            # One that has not been healthy yet does not listen yet, which is no failure.
            if one.deployment_id in running.versions and (one.routed or one.port is None)
        ]
        return map(self._scrape, targets(declared, instances))

    def _databases(self, found: Mapping[Place, Any]) -> Iterator[Task]:
        for place, section in found.items():
            for stored in section.get("databases", ()):
                declared = ObservedDatabaseSection.stored(stored)
                if declared.path is not None:
                    path = self._ground.state_of(*place) / "data"
                    yield self._sqlite(Database(declared.name, *place, str(path / declared.path)))
                    continue
                one = Database(declared.name, *place)
                assert declared.url_secret is not None, "the section has one of the two"
                url = partial(self._secret, place, declared.url_secret)
                make = partial(self._sources.postgresql, one, url)
                yield Task("databases", _told(one), self._usual, make, declared.url_secret)

    def _suppliers(self, found: Mapping[Place, Any]) -> Iterator[Task]:
        for place, section in found.items():
            for stored in section.get("suppliers", ()):
                declared = SupplierSection.stored(stored)
                one = Supplier(declared.name, *place, declared.url)
                what = f"{one.name} of {one.service} in {one.environment}"
                yield Task(
                    "suppliers",
                    what,
                    min(OUTSIDE, self._usual * 2),
                    partial(self._sources.supplier, one),
                    one.url,
                )

    def _scrape(self, target: Target) -> Task:
        make = partial(Scraper, target, series_id)
        told = " ".join(f"{name}={value}" for name, value in sorted(target.labels.items()))
        return Task("scrape", target.url, target.interval.total_seconds(), make, told)

    def _sqlite(self, one: Database) -> Task:
        return Task(
            "databases", _told(one), self._usual, partial(self._sources.sqlite, one), one.path
        )

    def _router(self) -> RouterSource:
        return RouterSource(
            series_id,
            self._sources.instance,
            text=lambda: self._ground.envoy.admin.get(STATISTICS).encode(),
            deployed=self._deployed,
            healthy=self._healthy,
        )

    def _deployed(self, cluster: str) -> Deployed | None:
        """What people call a version of the router, one that has left as well."""
        if cluster not in self._names:
            with reading():
                found = deployments.newest(rows=NAMES_MAX)
                found += self._running().versions.values()  # also those that are old and serve on
            self._names = {
                cluster_name(one.service, one.environment, one.id): Deployed(
                    one.service, one.environment, one.version, one.ref
                )
                for one in found
            }
        return self._names.get(cluster)

    def _healthy(self) -> Iterator[Healthy]:
        for cluster, endpoints in self._ground.envoy.admin.health().items():
            if (deployed := self._deployed(cluster)) is not None:
                yield Healthy(deployed, sum(endpoints.values()), len(endpoints))

    def _instances(self) -> Iterable[Instance]:
        with reading():
            running = self._running()
        found = [
            Instance(running.labels(one), one.pid, is_replica=True)
            for one in running.replicas
            if one.deployment_id in running.versions
        ]
        routers = [one.pid for one in programs.running(self._ground.envoy.site)]
        supervisord = _pid(self._settings.run / "supervisord.pid")
        return [
            *found,
            *(_own("router", pid) for pid in routers[-1:]),
            _own("supervisord", supervisord),
            _own("server", os.getpid()),
        ]

    def _replicas(self) -> dict[str, dict[str, str]]:
        """The labels of replicas by their pid."""
        running = self._running()
        return {
            str(one.pid): {
                name: text
                for name, text in running.labels(one).items()
                if name in {"version", "instance"}
            }
            for one in running.replicas
            if one.pid and one.deployment_id in running.versions
        }

    def _running(self) -> Running:
        replicas = [one for one in runtimes.live_of(self.services()) if one.wanted]
        found = deployments.by_ids({one.deployment_id for one in replicas})
        return Running(replicas, {one.id: one for one in found})

    def _secret(self, place: Place, name: str) -> str:
        with reading():
            sealed = secrets.sealed(*place, {name: name})[name]
        return unseal(key(self._settings.home, "secrets"), name, sealed)

    def _take(self, batch: Batch) -> None:
        """Hand samples to the intake."""
        if len(batch):
            samples = Samples(batch.metrics, batch.ids, batch.ts_ms, batch.values)
            self._intake.add_samples(samples, batch.series)
        if batch.meanings:
            self._intake.add_metadata(_metadata(batch, self._intake.now_ms))


def _metadata(batch: Batch, now_ms: int) -> pa.Table:
    rows = [{**one._asdict(), "seen_at": now_ms} for one in batch.meanings]
    plain = pa.Table.from_pylist(rows)
    moments = plain["seen_at"].cast(pa.int64()).cast(SCHEMAS["metadata"].field("seen_at").type)
    return plain.set_column(plain.column_names.index("seen_at"), "seen_at", moments)


def _told(one: Database) -> str:
    return f"{one.name} of {one.service}" + (f" in {one.environment}" if one.environment else "")


def _own(instance: str, pid: int | None) -> Instance:
    return Instance({"service": STEERWAY, "instance": instance}, pid)


def _pid(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
