"""Joining what is declared, what serves and what runs: a few queries, however many services."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from steerway.control.services.rules import TROUBLE, Lane, Replica, State, worst
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.runtimes import models as runtimes_models
from steerway.delivery.runtimes import queries as runtimes
from steerway.planning.catalog import queries as catalog
from steerway.planning.catalog.models import Environment, Service
from steerway.planning.changes import queries as changes
from steerway.planning.changes.models import Hold


@dataclass(frozen=True, slots=True)
class Overview:
    """A service with its environments, in order."""

    service: Service
    lanes: Sequence[Lane]
    holds: Sequence[Hold] = ()

    @property
    def state(self) -> State:
        """The worst of its environments."""
        return worst([lane.state for lane in self.lanes])


def overviews(
    *, after: str = "", containing: str = "", rows: int = 50, router_port: int
) -> list[Overview]:
    """Services by name with what serves in each environment.

    Shape: seven queries, however many rows.
    """
    return _joined(catalog.all(after=after, containing=containing, rows=rows), router_port)


def troubled(*, rows: int, router_port: int) -> list[Overview]:
    """Services that do not do all of their work, by name, whichever they are; at most `rows`.

    Shape: eight queries, however many services there are and however many are in trouble.
    """
    ailing = runtimes.ailing(deployments.serving_ids(), rows=rows)
    found = _joined(catalog.named(ailing), router_port)
    return [one for one in found if one.state in TROUBLE]


def _joined(services: Sequence[Service], router_port: int) -> list[Overview]:
    names = [service.name for service in services]
    environments = {s.name: list(getattr(s, "active_environments", [])) for s in services}
    found = _lanes(names, environments, router_port)
    return [Overview(service, found[service.name]) for service in services]


def overview(name: str, *, router_port: int) -> Overview:
    """One service.

    Raises:
        ServiceUnknown: the catalog has none of that name.
    """
    service = catalog.get(name)
    environments = {name: catalog.environments(service)}
    lanes = _lanes([name], environments, router_port)[name]
    return Overview(service, lanes, changes.open_holds([name]))


def _lanes(
    names: Sequence[str], environments: Mapping[str, Sequence[Environment]], router_port: int
) -> dict[str, list[Lane]]:
    serves = deployments.all_serving(names)
    serving = {(d.service, d.environment): d for d in serves}
    planned = deployments.replicas_planned(serves)
    flights = {(d.service, d.environment): d for d in deployments.running()}
    runs = catalog.sections(names, "run")
    seen = replicas(names)
    found: dict[str, list[Lane]] = defaultdict(list)
    for name in names:
        for one in environments[name]:
            key = (name, one.name)
            now = serving.get(key)
            last = one is environments[name][-1]
            run = runs.get(key, {})
            found[name].append(
                _lane(
                    one,
                    now,
                    flights.get(key),
                    wanted=planned[now.id] if now else int(run.get("replicas", 1)),
                    seen=seen.get(now.id, ()) if now else (),
                    url=address(name, "" if last else one.name, router_port, run),
                )
            )
    return found


def replicas(names: Sequence[str]) -> dict[UUID, list[Replica]]:
    """What was last seen running, by deployment: wanted replicas only."""
    found: dict[UUID, list[Replica]] = defaultdict(list)
    for one in runtimes.live_of(names):
        if one.wanted:
            found[one.deployment_id].append(_seen(one))
    return found


def _seen(one: runtimes_models.Replica) -> Replica:
    return Replica(
        name=one.program,
        state=one.condition.value,
        started_at=one.started_at,
        restarts=one.exits,
        port=one.port,
        problem=one.last_exit,
    )


def address(service: str, environment: str, port: int, run: Mapping[str, object]) -> str:
    """Where clients reach it; empty for a service that serves nothing."""
    if run.get("port") == "none":
        return ""
    host = f"{service}.{environment}.localhost" if environment else f"{service}.localhost"
    return f"http://{host}:{port}/"


def _lane(
    environment: Environment,
    serving: Deployment | None,
    flight: Deployment | None,
    *,
    wanted: int,
    seen: Sequence[Replica],
    url: str,
) -> Lane:
    release = serving.release if serving else None
    return Lane(
        name=environment.name,
        wanted=wanted,
        config_digest=environment.config_digest,
        url=url,
        version=serving.version if serving else "",
        commit=release.commit if release else "",
        ref=serving.ref if serving else "",
        since=serving.switched_at if serving else None,
        served_config=serving.config_digest if serving else "",
        flight=flight.ref if flight else "",
        replicas=tuple(seen),
    )
