"""What the router should serve: values, names and the checks that need no router."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

SAFE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,126}")  # goes into file and statistic names
PERCENT_ALL: Final = 100
DEPLOYMENT_CHARACTERS: Final = 12  # the random end of a UUIDv7: 48 bits, the start is only time
# Edges of the buckets by which new versions are judged, from 1 ms to a minute: eight to a doubling,
# on two digits, because Envoy counts exactly between such numbers. The last one is beyond all.
# Source: OpenTelemetry, exponential histograms of scale 3.
PACE_MS_MAX: Final = 60_000
PACE_STEPS: Final = range(27)  # to a decade
PACE_EDGES_MS: Final = (
    *sorted(
        edge
        for decade in range(5)
        for edge in {round(10 * 2 ** (step / 8)) * 10**decade // 10 for step in PACE_STEPS}
        if (10**decade if decade else 1) <= edge <= PACE_MS_MAX
    ),
    86_400_000,
)
SERVER_ERROR: Final = 500
CLIENT_ERROR: Final = 400
CLIENT_LEFT: Final = "DC"  # the flag of an attempt that ended because the client had gone
EVENTS: Final[Mapping[str, str]] = {
    "route.pointed": "Traffic of a service goes elsewhere; the share of each deployment.",
    "route.closed": "A service's hosts lead nowhere any more.",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one replica listens."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Health:
    """How the router asks a replica whether it may have traffic; no path asks for a connection."""

    path: str | None = "/healthz"
    interval: timedelta = timedelta(seconds=1)
    timeout: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Version:
    """A running deployment: the replicas of one release with one configuration."""

    cluster: str
    service: str
    environment: str
    release: str
    endpoints: tuple[Endpoint, ...]
    health: Health = field(default_factory=Health)
    idle: timedelta = timedelta(seconds=4)

    def __post_init__(self) -> None:
        assert SAFE.fullmatch(self.cluster), f"not a cluster name: {self.cluster!r}"


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a service's traffic that one version gets."""

    cluster: str
    percent: int


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """One service in one environment, as clients see it. The first share is the stable version.

    The shadow is sent copies of requests that only read; nobody waits for its answers.
    """

    name: str
    service: str
    environment: str
    domains: tuple[str, ...]
    shares: tuple[Share, ...]
    shadow: Share | None = None
    timeout: timedelta = timedelta(seconds=15)
    try_timeout: timedelta = timedelta(seconds=5)
    body_bytes: int = 10_000_000
    retries: int = 2

    def __post_init__(self) -> None:
        total = sum(share.percent for share in self.shares)
        assert not self.shares or total == PERCENT_ALL, f"{self.name}: shares sum to {total}"


@dataclass(frozen=True, slots=True)
class Table:
    """Everything the router serves; its files are a function of this and of nothing else."""

    hosts: tuple[VirtualHost, ...] = ()
    versions: tuple[Version, ...] = ()

    def version(self, cluster: str) -> Version | None:
        """The version with this cluster name."""
        return next((one for one in self.versions if one.cluster == cluster), None)


@dataclass(frozen=True, slots=True)
class Ack:
    """What the router said to a table: the versions of its files, and whether any was new."""

    clusters: str
    routes: str
    changed: bool
    unhealthy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """How often the router saw one outcome since it started.

    `attempt` counts every try against a replica, `request` every answer to a client: a failure
    that a retry hid is in the first and not in the second. Code 0 with flag UC is a reset.
    """

    kind: str
    service: str
    environment: str
    version: str
    code: int
    flags: str
    requests: int


@dataclass(frozen=True, slots=True)
class Signals:
    """What the router knows of one version since it started, attempt by attempt.

    Failures that a retry on another version hid are among `failed`. `not_above[i]` is how many took
    no longer than `PACE_EDGES_MS[i]`; `active` are still being answered.
    """

    ended: int = 0
    failed: float = 0  # or what the failures come to, where somebody has weighed them
    refused: int = 0
    not_above: tuple[int, ...] = (0,) * len(PACE_EDGES_MS)
    active: int = 0
    healthy: int = 0
    replicas: int = 0


def outcomes(counts: Iterable[Count]) -> tuple[int, int, int]:
    """How many attempts ended, failed on the server's side, and were refused as the client's fault.

    An attempt whose client left says nothing about the version, and is not counted.
    Source: OpenTelemetry HTTP semantic conventions: for a server, 5xx is an error, 4xx is not.
    """
    ended = failed = refused = 0
    for one in counts:
        if CLIENT_LEFT in one.flags.split(","):
            continue
        ended += one.requests
        failed += one.requests * (one.code >= SERVER_ERROR or one.code == 0)
        refused += one.requests * (CLIENT_ERROR <= one.code < SERVER_ERROR)
    return ended, failed, refused


def cluster_name(service: str, environment: str, deployment: UUID) -> str:
    """The name of a deployment inside the router, unique per deployment."""
    return f"{service}-{environment}-{deployment.hex[-DEPLOYMENT_CHARACTERS:]}"


def domains(
    service: str, environment: str, *, is_last: bool, hosts: Iterable[str] = ()
) -> tuple[str, ...]:
    """The host names of a service in an environment; the last environment has the short one."""
    own = (f"{service}.localhost",) if is_last else ()
    return tuple(dict.fromkeys((*own, f"{service}.{environment}.localhost", *hosts)))


def whole(shares: tuple[Share, ...]) -> tuple[Share, ...]:
    """The shares once more, where the first takes over what versions that are gone had."""
    if not shares:
        return ()
    first, *others = shares
    rest = PERCENT_ALL - sum(share.percent for share in others)
    return (Share(first.cluster, rest), *others)


def conflicts(table: Table) -> list[str]:
    """Sentences on what Envoy would reject, or worse accept: doubled hosts, absent versions."""
    problems = []
    owners: dict[str, str] = {}
    for host in table.hosts:
        for domain in host.domains:
            if owners.setdefault(domain, host.name) != host.name:
                problems.append(f"the host {domain} belongs to {owners[domain]} and {host.name}")
        problems += [
            f"{host.name} sends traffic to {share.cluster}, which is not running"
            for share in (*host.shares, *((host.shadow,) if host.shadow else ()))
            if table.version(share.cluster) is None
        ]
    return problems
