"""Takes Envoy from what it serves to another table, without a moment of neither."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from steerway.delivery.router.adapters import files, xds
from steerway.delivery.router.adapters.admin import Health
from steerway.delivery.router.adapters.files import Files
from steerway.delivery.router.adapters.xds import CLUSTERS, ROUTES, Json
from steerway.delivery.router.errors import RouterRefused
from steerway.delivery.router.rules import Ack, Endpoint, Table, Version

CLUSTERS_SUBJECT: Final = "cluster_manager.cds"
ROUTES_SUBJECT: Final = f"http.ingress.rds.{xds.ROUTES_NAME}"


def switch(
    followed: Files, table: Table, *, healthy_limit: timedelta, drain_limit: timedelta
) -> Ack:
    """What is new, its health, the routes, and only then away with what is not in the table.

    Raises: RouterRefused, RouterDown.
    """
    known = {
        one["name"]: one for one in followed.read(CLUSTERS, xds.clusters(Table()))["resources"]
    }
    staged_table = replace(table, versions=tuple(_staged(one, known) for one in table.versions))
    wanted = _with_fallbacks(xds.clusters(table), known)
    staged = _with_fallbacks(xds.clusters(staged_table), known)
    names = {one["name"] for one in wanted["resources"]}
    leaving = [one for name, one in known.items() if name not in names]
    both = xds.clusters_document([*staged["resources"], *leaving])
    routes = xds.routes(table)

    changed = followed.push(CLUSTERS, both, CLUSTERS_SUBJECT)
    unhealthy = _await_healthy(followed, table, known, healthy_limit)
    changed |= followed.push(ROUTES, routes, ROUTES_SUBJECT)
    if leaving:
        clusters = [one["name"] for one in leaving]
        files.wait(lambda: followed.admin.active_requests(*clusters) == 0, drain_limit)
    changed |= followed.push(CLUSTERS, wanted, CLUSTERS_SUBJECT)
    _await_settled(followed, table, healthy_limit)
    return Ack(wanted["version_info"], routes["version_info"], changed, unhealthy)


def _with_fallbacks(document: Json, known: Mapping[str, Json]) -> Json:
    """The clusters, and known ways from one of them to another, which no host uses any more.

    A request that waits for a version which has lost its share is tried again over this way.
    """
    names = {one["name"] for one in document["resources"]}
    kept = [
        one
        for name, one in known.items()
        if xds.FALLBACK in name and name not in names and names.issuperset(xds.tried(name))
    ]
    return xds.clusters_document([*document["resources"], *kept]) if kept else document


def _staged(version: Version, known: Mapping[str, Json]) -> Version:
    """The version with the endpoints it has and those it gets."""
    before = _listed(version, known)
    if set(version.endpoints) <= set(before):
        return replace(version, endpoints=before)
    leaving = tuple(one for one in before if one not in version.endpoints)
    return replace(version, endpoints=version.endpoints + leaving)


def _listed(version: Version, known: Mapping[str, Json]) -> tuple[Endpoint, ...]:
    cluster = known.get(version.cluster)
    return xds.listed(cluster) if cluster else ()


def _await_healthy(
    followed: Files, table: Table, known: Mapping[str, Json], limit: timedelta
) -> tuple[str, ...]:
    """Wait for replicas that are to get their first traffic; return versions without any.

    Raises:
        RouterRefused: such a version would replace one that has healthy replicas.
    """
    served = xds.routed(followed.read(ROUTES, xds.routes(Table())))
    wanted = {host.name: {share.cluster for share in host.shares} for host in table.hosts}
    fresh = {one for host in wanted for one in wanted[host] - served.get(host, set())}
    grown = {one.cluster for one in table.versions if set(one.endpoints) - set(_listed(one, known))}
    routed: set[str] = set().union(*wanted.values())
    watched = [one for one in table.versions if one.cluster in fresh | (grown & routed)]
    if not watched:
        return ()
    clusters = [one.cluster for one in watched]
    files.wait(lambda: not _missing(watched, followed.admin.health(*clusters)), limit)
    health = followed.admin.health()
    dead = {one.cluster for one in watched if not _healthy(one, health)}
    for host, clusters_of_host in wanted.items():
        worse = sorted(dead & clusters_of_host)
        before = served.get(host, set())
        if worse and any(any(health.get(one, {}).values()) for one in before):
            reason = f"{', '.join(worse)} has no healthy replica."
            raise RouterRefused(kind="routes", reason=reason)
    return tuple(sorted(dead))


def _await_settled(followed: Files, table: Table, limit: timedelta) -> None:
    """Wait until no version has a replica that left it.

    Envoy says that it took a file before it has looked at the health of what stands in it, and
    until then it goes on with the replicas of before.
    """
    wanted = {one.cluster: set(one.endpoints) for one in table.versions}

    def is_settled() -> bool:
        health = followed.admin.health()
        return all(set(health.get(name, {})) <= ends for name, ends in wanted.items())

    files.wait(is_settled, limit)


def _missing(watched: list[Version], health: Health) -> bool:
    return any(_healthy(one, health) < len(one.endpoints) for one in watched)


def _healthy(version: Version, health: Health) -> int:
    known = health.get(version.cluster, {})
    return sum(known.get(one, False) for one in version.endpoints)
