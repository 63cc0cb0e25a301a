"""The files Envoy starts from: what depends on the installation and not on its services."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from steerway.delivery.router.adapters.xds import (
    BUFFER,
    CLUSTERS,
    ROUTES,
    ROUTES_NAME,
    TOO_LARGE,
    TYPES,
    Json,
    document,
    watched,
)
from steerway.delivery.router.rules import PACE_EDGES_MS

LISTENERS: Final = "listeners.json"
HEADERS_KIB: Final = 64
HEADERS_COUNT: Final = 100
HEAP_BYTES: Final = 1 << 30  # bodies wait in memory until they are whole; past this, 503
BODY_BYTES: Final = 1_000_000  # for hosts that are nobody's
CONNECTIONS: Final = 20_000
STREAMS: Final = 100  # HTTP/2 requests at once on one connection
DURATION_BUCKETS: Final = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
# Attempts that failed, whether a retry hid it or not: by whom and where, to be weighed.
FAILURE_LOG: Final[Mapping[str, str]] = {
    "at": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "service": "%METADATA(ROUTE:steerway:service)%",
    "environment": "%METADATA(ROUTE:steerway:environment)%",
    "version": "%UPSTREAM_METADATA(envoy.lb:version)%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ):200%",
    "flags": "%RESPONSE_FLAGS%",
}
# Sentences instead of Envoy's own, which name its parts. 404 says its own.
SENTENCES: Final = {
    400: "The router could not read this request.",
    408: "The request took too long to arrive.",
    413: TOO_LARGE,
    426: "Use HTTP/1.1 or newer.",
    431: "The request headers are larger than the router accepts.",
    502: "The service broke off its answer.",
    503: "This service cannot answer right now. Try again in a moment.",
    504: "The service took too long to answer.",
}
HTML: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>%RESPONSE_CODE%</title>'
    "<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;"
    "max-width:32rem;margin:20vh auto 0;padding:0 1.5rem}h1{font-size:1rem;font-weight:400;"
    "opacity:.7;margin:0}p{font-size:1.25rem;margin:.25rem 0}</style>"
    "<h1>%RESPONSE_CODE%</h1><p>%LOCAL_REPLY_BODY%</p></html>\n"
)
PROBLEM: Final = {
    "type": "about:blank",
    "status": "%RESPONSE_CODE%",
    "detail": "%LOCAL_REPLY_BODY%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}
# Paths without their query and no cookies or referrers: those carry other people's secrets.
ACCESS_LOG: Final[Mapping[str, str]] = {
    "at": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "service": "%METADATA(ROUTE:steerway:service)%",
    "environment": "%METADATA(ROUTE:steerway:environment)%",
    "version": "%UPSTREAM_METADATA(envoy.lb:version)%",
    "release": "%UPSTREAM_METADATA(envoy.lb:release)%",
    "method": "%REQ(:METHOD)%",
    "host": "%REQ(:AUTHORITY):200%",
    "path": "%PATH(NQ):500%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "duration_ms": "%DURATION%",
    "request_ms": "%REQUEST_DURATION%",
    "first_byte_ms": "%RESPONSE_DURATION%",
    "received_bytes": "%BYTES_RECEIVED%",
    "sent_bytes": "%BYTES_SENT%",
    "upstream": "%UPSTREAM_HOST%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "trace_id": "%TRACE_ID%",
    "traceparent": "%REQ(TRACEPARENT):55%",
    "user_agent": "%REQ(USER-AGENT):200%",
}


@dataclass(frozen=True, slots=True)
class Site:
    """Where the router listens and where it keeps its files.

    A replaced Envoy asks its clients to reconnect during `drain`, and ends at `leave`.
    """

    run: Path
    log: Path
    address: str
    port: int
    trusted_hops: int = 0
    concurrency: int = 2
    drain: timedelta = timedelta(seconds=10)
    leave: timedelta = timedelta(seconds=30)

    @property
    def xds(self) -> Path:
        """The directory of the files that Envoy follows."""
        return self.run / "xds"

    @property
    def admin(self) -> Path:
        """The socket of Envoy's admin interface, for this user only."""
        return self.run / "router.sock"

    @property
    def handover(self) -> Path:
        """How the paths of the sockets begin over which one Envoy gives way to another."""
        return self.run / "hot"


def bootstrap(site: Site) -> Json:
    """What Envoy reads once, at its start."""
    downstream = f"{TYPES}.extensions.resource_monitors.downstream_connections.v3"
    return {
        "node": {"id": "router", "cluster": "steerway"},
        "admin": {"address": {"pipe": {"path": str(site.admin), "mode": 0o600}}},
        "dynamic_resources": {
            "lds_config": watched(site.xds, LISTENERS),
            "cds_config": watched(site.xds, CLUSTERS),
        },
        "stats_flush_on_admin": True,
        # Versions come and go; what none of them touched for an hour is forgotten.
        "stats_eviction_interval": "3600s",
        "stats_config": {
            "histogram_bucket_settings": [
                _buckets(r".*\.duration\..*", DURATION_BUCKETS),
                _buckets(r"pace\..*|cluster\..*\.upstream_rq_time", PACE_EDGES_MS),
            ]
        },
        "overload_manager": {
            "refresh_interval": "1s",
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": f"{downstream}.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": CONNECTIONS,
                    },
                },
                {
                    "name": "envoy.resource_monitors.fixed_heap",
                    "typed_config": {
                        "@type": f"{TYPES}.extensions.resource_monitors.fixed_heap.v3."
                        "FixedHeapConfig",
                        "max_heap_size_bytes": HEAP_BYTES,
                    },
                },
            ],
            "actions": [
                _overload("envoy.overload_actions.shrink_heap", 0.9),
                _overload("envoy.overload_actions.stop_accepting_requests", 0.95),
            ],
        },
    }


def listeners(site: Site) -> Json:
    """The one listener, and how it treats requests before it knows whose they are."""
    listener = {
        "@type": f"{TYPES}.config.listener.v3.Listener",
        "name": f"http_{site.port}",
        "address": {"socket_address": {"address": site.address, "port_value": site.port}},
        "per_connection_buffer_limit_bytes": 1 << 20,
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": _connection_manager(site),
                    }
                ]
            }
        ],
    }
    return document([listener])


def _overload(action: str, threshold: float) -> Json:
    trigger = {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": threshold}}
    return {"name": action, "triggers": [trigger]}


def _connection_manager(site: Site) -> Json:
    return {
        "@type": f"{TYPES}.extensions.filters.network.http_connection_manager.v3."
        "HttpConnectionManager",
        "stat_prefix": "ingress",
        "server_header_transformation": "PASS_THROUGH",
        "rds": {"route_config_name": ROUTES_NAME, "config_source": watched(site.xds, ROUTES)},
        **_clients(site.trusted_hops),
        **_limits(),
        "normalize_path": True,  # slashes stay as they are: routing goes by host alone
        "access_log": [_statistics("req"), _file(site.log / "access.log")],
        "local_reply_config": _local_replies(),
        "http_filters": [_buffer(), _router(site)],
        # A web socket is a request that never ends: it must not wait in the buffer.
        "upgrade_configs": [{"upgrade_type": "websocket", "filters": [_router(site)]}],
    }


def _clients(trusted_hops: int) -> Json:
    """Who the client is: the peer, unless so many proxies of ours stand before the router."""
    mutations = "envoy.http.early_header_mutation.header_mutation"
    kind = f"{TYPES}.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    forged = ["forwarded", "x-real-ip"] + ([] if trusted_hops else ["x-forwarded-for"])
    return {
        "use_remote_address": True,
        "xff_num_trusted_hops": trusted_hops,
        "early_header_mutation_extensions": [
            {
                "name": mutations,
                "typed_config": {"@type": kind, "mutations": [{"remove": one} for one in forged]},
            }
        ],
        # Nobody is internal: an internal client could set retries and timeouts by header. An
        # empty list would mean every private address, so it holds one that nobody can have.
        "internal_address_config": {
            "cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]
        },
    }


def _limits() -> Json:
    return {
        "max_request_headers_kb": HEADERS_KIB,
        "request_headers_timeout": "10s",
        "request_timeout": "600s",
        "stream_idle_timeout": "300s",
        "common_http_protocol_options": {
            "idle_timeout": "3600s",
            "max_headers_count": HEADERS_COUNT,
            # Many frameworks read _ and - as one: such a header could pose as another.
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": STREAMS,
            "initial_stream_window_size": 1 << 16,
            "initial_connection_window_size": 1 << 20,
        },
    }


def _buffer() -> Json:
    kind = f"{TYPES}.extensions.filters.http.buffer.v3.Buffer"
    return {
        "name": BUFFER,
        "typed_config": {"@type": kind, "max_request_bytes": BODY_BYTES},
    }


def _router(site: Site) -> Json:
    kind = f"{TYPES}.extensions.filters.http.router.v3.Router"
    return {
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": kind,
            "suppress_envoy_headers": True,
            "upstream_log": [_statistics("att"), _pace(), _failures(site.log / "failures.log")],
        },
    }


def _buckets(names: str, edges: tuple[float, ...]) -> Json:
    return {"match": {"safe_regex": {"regex": names}}, "buckets": list(edges)}


def _statistics(prefix: str) -> Json:
    """Counts by version. Envoy's own per cluster hide failures that a retry made good."""
    whose = _whose()
    outcome = _tags(code="%RESPONSE_CODE%", flags="%RESPONSE_FLAGS%")
    requests = {"stat": {"name": "requests", "tags": whose + outcome}, "value_fixed": 1}
    return _stats(prefix, counters=[requests], histograms=[_durations("duration", whose)])


def _pace() -> Json:
    """How long attempts took, in buckets fine enough to judge a new version by."""
    return _stats("pace", histograms=[_durations("milliseconds", _whose())])


def _stats(prefix: str, **what: list[Json]) -> Json:
    return {
        "name": "envoy.access_loggers.stats",
        "typed_config": {
            "@type": f"{TYPES}.extensions.access_loggers.stats.v3.Config",
            "stats_scope": {"prefix": prefix, "sharing_name": prefix, "enable_eviction": True},
            **what,
        },
    }


def _durations(name: str, tags: list[Json]) -> Json:
    stat = {"name": name, "tags": tags}
    return {"stat": stat, "unit": "Milliseconds", "value_format": "%DURATION%"}


def _whose() -> list[Json]:
    return _tags(
        service="%METADATA(ROUTE:steerway:service)%",
        environment="%METADATA(ROUTE:steerway:environment)%",
        version="%UPSTREAM_METADATA(envoy.lb:version)%",
    )


def _tags(**formats: str) -> list[Json]:
    return [{"name": name, "value_format": value} for name, value in formats.items()]


def _file(path: Path, fields: Mapping[str, str] = ACCESS_LOG) -> Json:
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": f"{TYPES}.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(path),
            "log_format": {"json_format": dict(fields), "omit_empty_values": True},
        },
    }


def _failures(path: Path) -> Json:
    """What the server answered with an error, and what ended without an answer."""
    above = {"op": "GE", "value": {"default_value": 500, "runtime_key": "steerway.failed"}}
    either = [{"status_code_filter": {"comparison": above}}, {"response_flag_filter": {}}]
    log = _file(path, FAILURE_LOG)
    return log | {"filter": {"or_filter": {"filters": either}}}


def _local_replies() -> Json:
    """Short and honest answers of the router itself: HTML for browsers, a problem for the rest."""
    html = {
        "text_format_source": {"inline_string": HTML},
        "content_type": "text/html; charset=utf-8",
    }
    browser = {
        "header_filter": {"header": {"name": "accept", "string_match": {"contains": "text/html"}}}
    }
    mappers: list[Json] = []
    for status, sentence in SENTENCES.items():
        said = {"body": {"inline_string": sentence}}
        both = {"and_filter": {"filters": [browser, _status(status)]}}
        mappers.append({"filter": both, "body_format_override": html, **said})
        mappers.append({"filter": _status(status), **said})
    mappers.append({"filter": browser, "body_format_override": html})
    body = {"json_format": PROBLEM, "content_type": "application/problem+json"}
    return {"mappers": mappers, "body_format": body}


def _status(status: int) -> Json:
    value = {"default_value": status, "runtime_key": "steerway.status"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}
