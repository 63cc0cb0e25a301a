"""Fills a database with years of work in a minute: many rows, and a chain of hashes that verifies.

Rows are written in bulk, past the actions, but with the same shapes: one service is applied by
the real action and copied, and every entry of the log is sealed as `platform.log` seals it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, repeat
from typing import Any, Final, TypeVar

from django.db import connection, models, transaction

from steerway.app import descriptor
from steerway.app.descriptor_declared import declared
from steerway.app.permissions import PERMISSIONS
from steerway.delivery.deployments.models import Deployment, DeploymentStep
from steerway.delivery.deployments.rules import State, Step, StepState
from steerway.delivery.releases.models import Release
from steerway.delivery.router.models import Route
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import ProcessState, program_name
from steerway.planning.catalog import actions as catalog
from steerway.planning.catalog import queries as services
from steerway.planning.catalog.models import Environment, Service
from steerway.planning.changes.models import Change
from steerway.platform import clock
from steerway.platform.db import is_postgresql, new_id, tend
from steerway.platform.identity.rules import Role
from steerway.platform.log import rules as log_rules
from steerway.platform.log.models import Event, Head
from steerway.platform.numbers.models import Series
from steerway.platform.work import Actor, Work

Row = TypeVar("Row", bound=models.Model)

SPAN: Final = timedelta(days=365)  # Everything happened within a year, until now.
ENVIRONMENTS: Final = ("testing", "production")
BATCH: Final = 5000
FIRST_PORT: Final = 20000
EVERY_FAILED: Final = 17
COLUMNS: Final = (
    "seq", "id", "at", "actor", "type", "subject", "service", "environment", "data",
    "previous", "hash",
)  # fmt: skip
KINDS: Final = (
    "deployment.requested", "change.opened", "replicas.placed", "route.pointed",
    "replicas.retired", "deployment.succeeded", "change.implemented", "replica.respawned",
)  # fmt: skip

DESCRIPTOR: Final = """steerway: 1
service: {name}
description: Sells coffee beans to people who know which ones they want.
owners: [alice, bob]
source: {{ref: main}}
build: {{kind: python}}
run:
  command: python -m shop
  replicas: 1
  environment: {{LOG_LEVEL: info, REGION: null}}
  limits: {{memory: 256MB, cpus: 0.5}}
environments:
  - name: testing
    run: {{environment: {{REGION: local}}}}
  - name: production
    run: {{environment: {{REGION: eu-west}}}}
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. Each service has two environments with one replica each."""

    services: int
    rounds: int  # deployments of each service to each environment
    events: int

    @property
    def deployments(self) -> int:
        """How many there are, everywhere."""
        return self.services * self.rounds * len(ENVIRONMENTS)


@dataclass(frozen=True, slots=True)
class Pace:
    """Moments evenly spread over the last year."""

    now: datetime
    count: int

    def at(self, number: int) -> datetime:
        """The moment of one thing of `count`, counted from 1."""
        return self.now - SPAN + SPAN * number / self.count


def hand() -> Work:
    """Somebody who may do everything, now."""
    actor = Actor(name="alice", role=Role.ADMIN, grants=PERMISSIONS)
    return Work(actor=actor, now=clock.now(), starter=lambda workflow, record_id: None)


def fill(work: Work, size: Size) -> None:
    """Put everything into an empty database, and let it gather its statistics."""
    _services(work, size)
    _deployments(size, Pace(work.now, size.deployments))
    events(size.events, services=size.services, now=work.now)
    _analyze()


def events(count: int, *, services: int, now: datetime) -> None:
    """Append `count` chained entries about `services` services, the last of them now."""
    head, _ = Head.objects.get_or_create(id=1)
    rows = islice(_entries(head, services, Pace(now, head.seq + count)), count)
    with transaction.atomic():
        for last in _written(rows):
            Head.objects.filter(id=1).update(seq=last[0], hash=last[-1])


def _analyze() -> None:
    """What the server does for SQLite, and PostgreSQL by itself within minutes."""
    tend()
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def name(number: int) -> str:
    """The name of a service."""
    return f"service-{number:04}"


def _services(work: Work, size: Size) -> None:
    text = DESCRIPTOR.format(name=name(0))
    with transaction.atomic():
        catalog.apply(work, declared(descriptor.load(text, "steerway.yaml")))
    model = services.get(name(0))
    resolved = services.environments(model)
    made = [_copy(model, id=new_id(), name=name(n)) for n in range(1, size.services)]
    _bulk(Service, made)
    _bulk(
        Environment,
        (_copy(one, id=new_id(), service=service) for service in made for one in resolved),
    )


def _deployments(size: Size, pace: Pace) -> None:
    model = services.get(name(0))
    plan = services.environments(model)[0].resolved
    for round_number in range(size.rounds):
        releases = [_release(n, round_number, pace.now) for n in range(size.services)]
        _bulk(Release, releases)
        _round(
            round_number,
            is_last=round_number == size.rounds - 1,
            plan=plan,
            pace=pace,
            releases=releases,
        )
    for series in ("deployment", "change"):
        Series.objects.update_or_create(name=series, defaults={"value": size.deployments})


def _round(
    round_number: int, *, is_last: bool, plan: dict[str, Any], pace: Pace, releases: list[Release]
) -> None:
    """One deployment of every service to every environment."""
    changes, found, replicas, routes = [], [], [], []
    places = [(n, e) for n in range(len(releases)) for e in ENVIRONMENTS]
    for index, (n, environment) in enumerate(places):
        number = round_number * len(places) + index + 1
        at = pace.at(number)
        state = State.FAILED if number % EVERY_FAILED == 0 and not is_last else State.SUCCEEDED
        change = _change(number, n, environment, at)
        one = _deployment(number, n, environment, at, change)
        one.state, one.plan, one.release, one.serves = state.value, plan, releases[n], is_last
        changes.append(change)
        found.append(one)
        replicas.append(_replica(one, at, FIRST_PORT + index if is_last else None))
        if is_last:
            routes.append(_route(one, at))
    _bulk(Change, changes)
    _bulk(Deployment, found)
    _bulk(DeploymentStep, (step for one in found for step in _steps(one)))
    _bulk(Replica, replicas)
    _bulk(Route, routes)


def _release(n: int, round_number: int, now: datetime) -> Release:
    mark = hashlib.sha256(f"{n} {round_number}".encode()).hexdigest()
    return Release(
        service=name(n),
        name=f"v{round_number}",
        commit=mark[:40],
        subject="Move to the next version",
        author="Bob Baker",
        digest=mark,
        input_digest=mark[::-1],
        kind="python",
        size_bytes=48_211_904,
        built_at=now - SPAN + timedelta(hours=round_number),
    )


def _change(number: int, n: int, environment: str, at: datetime) -> Change:
    return Change(
        number=number,
        kind="deployment",
        service=name(n),
        environment=environment,
        summary=f"Deploy v{number} in {environment}",
        why="The weekly round",
        requested_by="alice",
        opened_at=at,
        state="implemented",
        closed_at=at + timedelta(seconds=21),
        outcome="It serves.",
        facts={"ref": "main"},
    )


def _deployment(
    number: int, n: int, environment: str, at: datetime, change: Change
) -> Deployment:  # fmt: skip
    return Deployment(
        number=number,
        kind="deploy",
        service=name(n),
        environment=environment,
        change=change,
        ref_asked="main",
        strategy="blue-green",
        config_digest="c" * 64,
        requested_by="alice",
        requested_at=at,
        switched_at=at + timedelta(seconds=20),
        ended_at=at + timedelta(seconds=21),
    )


def _steps(one: Deployment) -> Iterator[DeploymentStep]:
    for position, step in enumerate(Step):
        at = one.requested_at + timedelta(seconds=2 * position)
        yield DeploymentStep(
            deployment=one,
            position=position,
            name=step.value,
            state=StepState.DONE.value,
            started_at=at,
            ended_at=at + timedelta(seconds=2),
        )


def _replica(one: Deployment, at: datetime, port: int | None) -> Replica:
    """A living replica with its port, or a retired one."""
    return Replica(
        deployment_id=one.id,
        service=one.service,
        environment=one.environment,
        index=0,
        program=program_name(one.service, one.environment, one.id, 0),
        port=port,
        wanted=port is not None,
        routed=port is not None,
        placed_at=at,
        retired_at=None if port else at + timedelta(hours=1),
        spec={"environment": {f"VARIABLE_{n}": "x" * 40 for n in range(12)}} if port else {},
        state=(ProcessState.RUNNING if port else ProcessState.STOPPED).value,
        pid=4000 if port else None,
        started_at=at,
        seen_at=at,
    )


def _route(one: Deployment, at: datetime) -> Route:
    return Route(
        service=one.service,
        environment=one.environment,
        is_last=one.environment == ENVIRONMENTS[-1],
        settings=one.plan["route"],
        shares=[{"deployment": str(one.id), "percent": 100}],
        updated_at=at,
    )


def _entries(head: Head, services: int, pace: Pace) -> Iterator[tuple[Any, ...]]:
    """Chained entries without end, as rows of COLUMNS."""
    seq, previous = head.seq, head.hash
    while True:
        seq += 1
        place = seq % (2 * services)
        data = {"ref": "main", "release": f"v{seq % 97}", "seconds": "21.4"}
        fields: dict[str, Any] = {
            "seq": seq,
            "id": new_id(),
            "at": pace.at(seq),
            "actor": ("alice", "bob", "steerway")[seq % 3],
            "type": KINDS[seq % len(KINDS)],
            "subject": f"DEP-{1 + seq // 50}",
            "service": name(place // 2),
            "environment": ENVIRONMENTS[place % 2],
            "data": _canonical(data),
        }
        entry = fields | {"id": str(fields["id"]), "at": log_rules.moment(fields["at"])}
        seal = hashlib.sha256(f"{previous}\n{_canonical(entry)}".encode()).hexdigest()
        yield (*fields.values(), previous, seal)
        previous = seal


def _canonical(entry: dict[str, Any]) -> str:
    """RFC 8785 of plain ASCII texts and small numbers: sorted, tight JSON."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"))


def _written(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Write rows of the log in batches; gives the last of each."""
    columns = ", ".join(COLUMNS)
    table = Event._meta.db_table
    while batch := list(islice(rows, BATCH)):
        with connection.cursor() as cursor:
            if is_postgresql():
                with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    for row in batch:
                        copy.write_row(row)
            else:
                marks = ", ".join(repeat("?", len(COLUMNS)))
                # Django's own cursor would look at each of eleven million values.
                cursor.connection.executemany(
                    f"INSERT INTO {table} ({columns}) VALUES ({marks})", map(_sqlite, batch)
                )
        yield batch[-1]


def _sqlite(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row as Django stores it in SQLite."""
    seq, identity, at, *others = row
    return (seq, identity.hex, str(at.replace(tzinfo=None)), *others)


def _copy(model: Row, **fields: Any) -> Row:
    values = {f.attname: getattr(model, f.attname) for f in model._meta.concrete_fields}
    for key in ("id", *fields):
        values.pop(key if key in values else f"{key}_id", None)
    return type(model)(**values, **fields)


def _bulk(model: type[Row], rows: Iterable[Row]) -> None:
    rows = iter(rows)
    with transaction.atomic():
        while batch := list(islice(rows, BATCH)):
            model._default_manager.bulk_create(batch, batch_size=500)
