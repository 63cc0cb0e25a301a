"""The files Envoy follows while it runs: clusters with their endpoints, and routes.

Every decision here was measured; what looks odd is explained where it stands.
"""

import hashlib
import json
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, Final

from steerway.delivery.router.rules import Endpoint, Share, Table, Version, VirtualHost

Json = dict[str, Any]

CLUSTERS: Final = "clusters.json"
ROUTES: Final = "routes.json"
ROUTES_NAME: Final = "main"
COOKIE: Final = "steerway_version"
COOKIE_SECONDS: Final = 3600  # how long one client stays with one version
TYPES: Final = "type.googleapis.com/envoy"
NOWHERE: Final = "Steerway has no service at this host."
NOT_RUNNING: Final = "This service has no running release."
TOO_LARGE: Final = "The request body is larger than this service accepts."

# A second try is safe where the first can have changed nothing, or the same thing again.
IDEMPOTENT: Final = {"safe_regex": {"regex": "GET|HEAD|OPTIONS|PUT|DELETE"}}
IS_IDEMPOTENT: Final = {"name": ":method", "string_match": IDEMPOTENT}
READS: Final = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD|OPTIONS"}}}
WITH_COOKIE: Final = {"name": "cookie", "string_match": {"contains": f"{COOKIE}="}}
SIZED: Final = {"name": "content-length", "present_match": True}
RETRY_IDEMPOTENT: Final = "5xx,connect-failure,refused-stream,reset-before-request,reset"
RETRY_ANY: Final = "connect-failure,refused-stream,reset-before-request"
FALLBACK: Final = "__or__"
BUFFER: Final = "envoy.filters.http.buffer"
INT64_MAX: Final = 2**63 - 1
UNHEALTHY_INTERVAL: Final = timedelta(milliseconds=500)


def clusters(table: Table) -> Json:
    """Every running version, and a fallback cluster for each that takes a part of a host."""
    plain = [_cluster(one) for one in table.versions]
    pairs = {
        (share.cluster, host.shares[0].cluster) for host in table.hosts for share in host.shares[1:]
    }
    return clusters_document([*plain, *(_fallback(*pair) for pair in pairs)])


def clusters_document(resources: list[Json]) -> Json:
    """The file of these clusters, the same in whatever order they come."""
    return document(sorted(resources, key=lambda one: str(one["name"])))


def routes(table: Table) -> Json:
    """A virtual host for each service and environment, and an honest answer for the rest."""
    nowhere = {
        "name": "nowhere",
        "domains": ["*"],
        "routes": [_answer(404, NOWHERE)],
    }
    configuration = {
        "@type": f"{TYPES}.config.route.v3.RouteConfiguration",
        "name": ROUTES_NAME,
        # The port stays in the header that services see, so that their redirects keep it.
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [*(_virtual_host(host) for host in table.hosts), nowhere],
    }
    return document([configuration])


def document(resources: list[Json]) -> Json:
    """A file for Envoy. Equal content has an equal version, which is how it is acknowledged."""
    digest = hashlib.sha256(json.dumps(resources, sort_keys=True).encode()).hexdigest()
    return {"version_info": digest[:16], "resources": resources}


def seconds(duration: timedelta) -> str:
    """A duration as protobuf's JSON writes it."""
    return f"{duration.total_seconds():.3f}".rstrip("0").rstrip(".") + "s"


def routed(document: Json) -> dict[str, set[str]]:
    """The versions that each host of a routes file sends traffic to."""
    found: dict[str, set[str]] = {}
    for host in document["resources"][0]["virtual_hosts"]:
        actions = [route["route"] for route in host["routes"] if "route" in route]
        names = [one["cluster"] for one in actions if "cluster" in one]
        for action in actions:
            names += [
                one["name"] for one in action.get("weighted_clusters", {}).get("clusters", [])
            ]
        found[host["name"]] = {name.partition(FALLBACK)[0] for name in names}
    return found


def listed(cluster: Json) -> tuple[Endpoint, ...]:
    """The endpoints of a cluster in a clusters file."""
    found = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    addresses = [one["endpoint"]["address"]["socket_address"] for one in found]
    return tuple(Endpoint(one["address"], one["port_value"]) for one in addresses)


def fallback_name(cluster: str, stable: str) -> str:
    """The cluster that tries one version and then the stable one."""
    return f"{cluster}{FALLBACK}{stable}"


def tried(fallback: str) -> list[str]:
    """The versions that a fallback cluster tries, in order."""
    return fallback.split(FALLBACK)


def watched(directory: Path, name: str) -> Json:
    """A source that Envoy reads again whenever a file is renamed into place."""
    return {
        "resource_api_version": "V3",
        "path_config_source": {"path": str(directory / name)},
    }


def _endpoints(version: Version) -> Json:
    """The replicas of one version, marked so that statistics can tell versions apart.

    They stand in the clusters file: a file of its own for each version would cost an inotify
    instance each, of which a user has 128, and Envoy aborts when there is none left.
    """
    marks = {
        "service": version.service,
        "environment": version.environment,
        "version": version.cluster,
        "release": version.release,
    }
    return {
        "cluster_name": version.cluster,
        "endpoints": [{"lb_endpoints": [_endpoint(one, marks) for one in version.endpoints]}],
    }


def _endpoint(endpoint: Endpoint, marks: Json) -> Json:
    address = {"address": endpoint.address, "port_value": endpoint.port}
    return {
        "metadata": {"filter_metadata": {"envoy.lb": marks}},
        "endpoint": {"address": {"socket_address": address}},
    }


def _cluster(version: Version) -> Json:
    return {
        "@type": f"{TYPES}.config.cluster.v3.Cluster",
        "name": version.cluster,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": _endpoints(version),
        # Without it a replica that left the file lingers until its health check fails.
        "ignore_health_on_host_removal": True,
        "circuit_breakers": _breakers(),
        # No panic: traffic to replicas known to be dead helps nobody.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPES}.extensions.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": seconds(version.idle)},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
        "health_checks": [_health_check(version)],
        "outlier_detection": {
            "consecutive_5xx": 5,
            "interval": "1s",
            "base_ejection_time": "10s",
            "max_ejection_percent": 50,
            # Otherwise a passing health check puts a failing replica back after a second.
            "successful_active_health_check_uneject_host": False,
        },
    }


def _health_check(version: Version) -> Json:
    health = version.health
    check: Json = {"tcp_health_check": {}}
    if health.path is not None:
        check = {
            "http_health_check": {
                "path": health.path,
                "host": "localhost",  # the default is the cluster's name; frameworks refuse it
                "expected_statuses": [{"start": 200, "end": 300}],
            }
        }
    interval = seconds(health.interval)
    return {
        "timeout": seconds(health.timeout),
        "interval": interval,
        "no_traffic_interval": interval,
        "unhealthy_interval": seconds(min(health.interval, UNHEALTHY_INTERVAL)),
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        **check,
    }


def _breakers() -> Json:
    limits = {
        "max_connections": 4096,
        "max_pending_requests": 4096,
        "max_requests": 4096,
        # A budget, not a count: the default of three parallel retries loses requests under load.
        "retry_budget": {"budget_percent": {"value": 25}, "min_retry_concurrency": 20},
    }
    return {"thresholds": [limits]}


def _fallback(cluster: str, stable: str) -> Json:
    """First try at the new version, retries at the stable one, whatever the hash says.

    Only used while a host has two shares: Envoy calls the composite cluster not hardened.
    """
    return {
        "@type": f"{TYPES}.config.cluster.v3.Cluster",
        "name": fallback_name(cluster, stable),
        "connect_timeout": "1s",
        "lb_policy": "CLUSTER_PROVIDED",
        "circuit_breakers": _breakers(),
        "cluster_type": {
            "name": "envoy.clusters.composite",
            "typed_config": {
                "@type": f"{TYPES}.extensions.clusters.composite.v3.ClusterConfig",
                "clusters": [{"name": cluster}, {"name": stable}, {"name": stable}],
            },
        },
    }


def _virtual_host(host: VirtualHost) -> Json:
    marks = {"service": host.service, "environment": host.environment}
    return {
        "name": host.name,
        "domains": list(host.domains),
        "include_request_attempt_count": True,
        "typed_per_filter_config": {
            BUFFER: _buffer(buffer={"max_request_bytes": host.body_bytes}),
        },
        "routes": [
            route | {"metadata": {"filter_metadata": {"steerway": marks}}}
            for route in _host_routes(host)
        ],
    }


def _host_routes(host: VirtualHost) -> list[Json]:
    """Envoy does not know which methods may be repeated, so each kind has its own routes.

    A body of known length streams. One of unknown length waits in the buffer, which counts it;
    not every body may wait there, because a route chosen before the wait can be gone after it.
    """
    if not host.shares:
        return [_answer(503, NOT_RUNNING)]
    too_large = _answer(413, TOO_LARGE)
    size = {"start": host.body_bytes + 1, "end": INT64_MAX}
    too_large["typed_per_filter_config"] = {BUFFER: _buffer(disabled=True)}
    too_large["match"]["headers"] = [{"name": "content-length", "range_match": size}]
    sticky = [[WITH_COOKIE], []] if len(host.shares) > 1 else [[]]
    methods = [([IS_IDEMPOTENT], RETRY_IDEMPOTENT), ([], RETRY_ANY)]
    if host.shadow:
        methods.insert(0, ([READS], RETRY_IDEMPOTENT))
    return [
        too_large,
        *(
            _route(host, [*method, *cookie, *length], retry_on)
            for (method, retry_on), cookie, length in product(methods, sticky, [[SIZED], []])
        ),
    ]


def _answer(status: int, sentence: str) -> Json:
    body = {"inline_string": sentence}
    return {"match": {"prefix": "/"}, "direct_response": {"status": status, "body": body}}


def _buffer(**settings: object) -> Json:
    return {"@type": f"{TYPES}.extensions.filters.http.buffer.v3.BufferPerRoute", **settings}


def _route(host: VirtualHost, headers: list[Json], retry_on: str) -> Json:
    action: Json = {"timeout": seconds(host.timeout)}
    route: Json = {"match": {"prefix": "/", "headers": headers}, "route": action}
    if not host.timeout:
        action["idle_timeout"] = "0s"  # an endless stream may be silent for long
    if SIZED in headers:
        route["typed_per_filter_config"] = {BUFFER: _buffer(disabled=True)}
    if host.retries:
        action["retry_policy"] = _retries(host, retry_on)
    if host.shadow and READS in headers:
        action["request_mirror_policies"] = [_mirror(host.shadow)]
    if host.retries and retry_on == RETRY_IDEMPOTENT:
        # A replica that hangs: ask another one too, and take the first answer.
        action["hedge_policy"] = {"hedge_on_per_try_timeout": True}
    if len(host.shares) == 1:
        action["cluster"] = host.shares[0].cluster
        return route
    action["weighted_clusters"] = _weights(host.shares)
    if WITH_COOKIE in headers:
        action["hash_policy"] = [{"cookie": {"name": COOKIE}}]
        return route
    # Envoy makes no cookie for weighted clusters: the first request picks by its id and says so.
    action["hash_policy"] = [{"header": {"header_name": "x-request-id"}}]
    value = f"{COOKIE}=%REQ(x-request-id)%; Path=/; Max-Age={COOKIE_SECONDS}"
    header = {"key": "set-cookie", "value": f"{value}; HttpOnly; SameSite=Lax"}
    route["response_headers_to_add"] = [{"header": header}]
    return route


def _mirror(shadow: Share) -> Json:
    """Copies of some requests; Envoy throws the answers away."""
    part = {"numerator": shadow.percent, "denominator": "HUNDRED"}
    return {"cluster": shadow.cluster, "runtime_fraction": {"default_value": part}}


def _retries(host: VirtualHost, retry_on: str) -> Json:
    predicate = "envoy.retry_host_predicates.previous_hosts"
    kind = f"{TYPES}.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    policy: Json = {
        "retry_on": retry_on,
        "num_retries": host.retries,
        "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.05s"},
        "retry_host_predicate": [{"name": predicate, "typed_config": {"@type": kind}}],
        "host_selection_retry_max_attempts": 3,
    }
    if retry_on == RETRY_IDEMPOTENT:
        policy["per_try_timeout"] = seconds(host.try_timeout)
    return policy


def _weights(shares: tuple[Share, ...]) -> Json:
    """Stable first: a growing share then never moves a client back from the new version."""
    stable, *others = shares
    return {
        "clusters": [
            {"name": stable.cluster, "weight": stable.percent},
            *(
                {"name": fallback_name(one.cluster, stable.cluster), "weight": one.percent}
                for one in others
            ),
        ],
        "use_hash_policy": True,
    }
