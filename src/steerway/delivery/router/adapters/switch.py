"""Takes Envoy from what it serves to another table, without a moment of neither."""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import timedelta
from typing import Final

from steerway.delivery.router.adapters import files, xds
from steerway.delivery.router.adapters.files import Files
from steerway.delivery.router.adapters.xds import CLUSTERS, ROUTES
from steerway.delivery.router.errors import RouterRefused
from steerway.delivery.router.rules import Ack, Table, Version

CLUSTERS_SUBJECT: Final = "cluster_manager.cds"
ROUTES_SUBJECT: Final = f"http.ingress.rds.{xds.ROUTES_NAME}"


def switch(
    followed: Files, table: Table, *, healthy_limit: timedelta, drain_limit: timedelta
) -> Ack:
    """Endpoints, clusters, health, routes; then what left goes in the other order.

    Raises: RouterRefused, RouterDown.
    """
    known = followed.read(CLUSTERS)["resources"]
    wanted = xds.clusters(table, followed.directory)
    names = {one["name"] for one in wanted["resources"]}
    leaving = [one for one in known if one["name"] not in names]
    staged = xds.clusters_document([*wanted["resources"], *leaving])
    routes = xds.routes(table)

    followed_now = {one["name"] for one in known}
    grown = {one.cluster for one in table.versions if _grow(followed, one, followed_now)}
    changed = bool(grown) | followed.push(CLUSTERS, staged, CLUSTERS_SUBJECT)
    unhealthy = _await_healthy(followed, table, grown, healthy_limit)
    changed |= followed.push(ROUTES, routes, ROUTES_SUBJECT)
    for version in table.versions:
        changed |= _push_endpoints(followed, version)
    if leaving:
        clusters = [one["name"] for one in leaving]
        files.wait(lambda: followed.admin.active_requests(*clusters) == 0, drain_limit)
        changed |= followed.push(CLUSTERS, wanted, CLUSTERS_SUBJECT)
    _forget_endpoints(followed, names)
    return Ack(wanted["version_info"], routes["version_info"], changed, unhealthy)


def _grow(followed: Files, version: Version, known: AbstractSet[str]) -> bool:
    """Add the endpoints that are new, and take none away yet; True when there was one."""
    name = xds.endpoints_file(version.cluster)
    if version.cluster not in known:
        document = xds.endpoints(version)
        if followed.read(name) == document:
            return False
        files.write(followed.directory / name, document)
        return True
    listed = xds.listed(followed.read(name))
    if set(version.endpoints) <= set(listed):
        return False
    leaving = tuple(one for one in listed if one not in version.endpoints)
    return _push_endpoints(followed, replace(version, endpoints=version.endpoints + leaving))


def _push_endpoints(followed: Files, version: Version) -> bool:
    name = xds.endpoints_file(version.cluster)
    return followed.push(name, xds.endpoints(version), f"cluster.{version.cluster}")


def _await_healthy(
    followed: Files, table: Table, grown: AbstractSet[str], limit: timedelta
) -> tuple[str, ...]:
    """Wait for replicas that are to get their first traffic; return versions without any.

    Raises:
        RouterRefused: such a version would replace one that has healthy replicas.
    """
    served = xds.routed(followed.read(ROUTES))
    wanted = {host.name: {share.cluster for share in host.shares} for host in table.hosts}
    fresh = {one for host in wanted for one in wanted[host] - served.get(host, set())}
    routed: set[str] = set().union(*wanted.values())
    watched = [one for one in table.versions if one.cluster in fresh | (grown & routed)]
    files.wait(lambda: all(_healthy(followed, one) == len(one.endpoints) for one in watched), limit)
    dead = {one.cluster for one in watched if not _healthy(followed, one)}
    for host, clusters in wanted.items():
        worse = sorted(dead & clusters)
        before = served.get(host, set())
        if worse and any(any(followed.admin.endpoints(one).values()) for one in before):
            raise RouterRefused(kind="routes", reason=f"{', '.join(worse)} has no healthy replica.")
    return tuple(sorted(dead))


def _healthy(followed: Files, version: Version) -> int:
    known = followed.admin.endpoints(version.cluster)
    return sum(known.get(one, False) for one in version.endpoints)


def _forget_endpoints(followed: Files, names: AbstractSet[str]) -> None:
    kept = {xds.endpoints_file(name) for name in names}
    for path in followed.directory.glob(xds.endpoints_file("*")):
        if path.name not in kept:
            path.unlink()
