"""The addresses of pages, process by process."""

from collections.abc import Sequence

from django.urls import URLPattern, URLResolver, include, path

from steerway.app import descriptor_pages, search
from steerway.control.bridge import pages as bridge
from steerway.control.dashboards import pages as dashboards
from steerway.control.hosts import pages as hosts
from steerway.control.installation import pages as installation
from steerway.control.services import pages as services
from steerway.control.signals import pages as signals
from steerway.delivery.analyses import pages as analyses
from steerway.delivery.deployments import pages as deployments
from steerway.delivery.flags import pages as flags
from steerway.delivery.releases import pages as releases
from steerway.planning.changes import pages as changes
from steerway.platform.log import pages as log
from steerway.telemetry.explore.pages import logs as explore_logs
from steerway.telemetry.explore.pages import metrics as explore_metrics
from steerway.telemetry.explore.pages import traces as explore_traces


def _process(name: str, *patterns: URLPattern) -> URLResolver:
    """The pages of one process, under its name."""
    return path("", include((list(patterns), name)))


page_urls: Sequence[URLPattern | URLResolver] = [
    path("", bridge.bridge, name="bridge"),
    path("search", search.search, name="search"),
    _process(
        "services",
        path("services", services.services, name="list"),
        path("services/<str:name>", services.service, name="detail"),
        path("services/<str:name>/descriptor", descriptor_pages.show, name="descriptor"),
        path("services/<str:name>/dashboard", dashboards.dashboard, name="dashboard"),
        path("services/<str:name>/pause", services.pause, name="pause"),
        path("services/<str:name>/resumption", services.resume, name="resume"),
    ),
    _process(
        "signals",
        path("services/<str:name>/signals/endpoints", signals.endpoints, name="endpoints"),
        path("services/<str:name>/signals/slowest", signals.slowest, name="slowest"),
        path("services/<str:name>/signals/errors", signals.errors, name="errors"),
        path("services/<str:name>/signals/coverage", signals.coverage, name="coverage"),
    ),
    _process(
        "deployments",
        path("deployments", deployments.deployments, name="list"),
        path("deployments/<str:ref>", deployments.deployment, name="detail"),
        path("deployments/<str:ref>/cancellation", deployments.cancel, name="cancel"),
        path("services/<str:service>/deployments", deployments.start, name="start"),
        path("services/<str:service>/rollbacks", deployments.rollback, name="rollback"),
    ),
    _process(
        "analyses",
        path("deployments/<str:ref>/analysis/pause", analyses.pause, name="pause"),
        path("deployments/<str:ref>/analysis/resumption", analyses.resume, name="resume"),
        path("deployments/<str:ref>/analysis/approval", analyses.approve, name="approve"),
        path("deployments/<str:ref>/analysis/promotion", analyses.promote, name="promote"),
    ),
    _process(
        "flags",
        path("flags", flags.flags, name="list"),
        path("flags/<str:service>/<str:key>", flags.flag, name="detail"),
        path("flags/<str:service>/<str:key>/exposure", flags.expose, name="expose"),
        path("flags/<str:service>/<str:key>/rollout", flags.roll_out, name="roll-out"),
        path("flags/<str:service>/<str:key>/rollout/stop", flags.stop, name="stop"),
        path("flags/<str:service>/<str:key>/restoration", flags.restore, name="restore"),
        path("flags/<str:service>/<str:key>/off", flags.turn_off, name="off"),
        path("flags/<str:service>/<str:key>/on", flags.turn_on, name="on"),
    ),
    _process(
        "releases",
        path("releases", releases.releases, name="list"),
        path("releases/<uuid:release_id>", services.release, name="detail"),
    ),
    _process(
        "changes",
        path("changes", changes.changes, name="list"),
        path("changes/freeze", changes.freeze, name="freeze"),
        path("changes/thaw", changes.thaw, name="thaw"),
        path("changes/holds", changes.hold, name="hold"),
        path("changes/holds/<str:ref>/lift", changes.lift, name="lift"),
        path("changes/<str:ref>", changes.change, name="detail"),
    ),
    _process(
        "log",
        path("log", log.log, name="list"),
        path("log/verification", log.verification, name="verification"),
        path("log/<int:seq>", log.entry, name="entry"),
    ),
    _process(
        "hosts",
        path("hosts", hosts.hosts, name="list"),
        path("hosts/rows", hosts.rows, name="rows"),
        path("hosts/<str:name>", hosts.host, name="detail"),
        path("hosts/<str:name>/facts", hosts.facts, name="facts"),
        path("hosts/<str:name>/file-systems", hosts.file_systems, name="file_systems"),
        path("hosts/<str:name>/certificates", hosts.certificates, name="certificates"),
        path("hosts/<str:name>/processes", hosts.processes, name="processes"),
    ),
    _process(
        "explore",
        path("explore", explore_metrics.metrics, name="metrics"),
        path("explore/logs", explore_logs.logs, name="logs"),
        path("explore/logs/lines", explore_logs.lines, name="lines"),
        path("explore/logs/histogram", explore_logs.histogram, name="histogram"),
        path("explore/logs/choices", explore_logs.choices, name="choices"),
        path("explore/traces", explore_traces.traces, name="traces"),
        path("explore/traces/found", explore_traces.found, name="found"),
        path("explore/traces/<str:trace_id>", explore_traces.trace, name="trace"),
        path("explore/map", explore_traces.service_map, name="map"),
        path("explore/map/picture", explore_traces.picture, name="picture"),
    ),
    _process("installation", path("settings", installation.effective, name="settings")),
]
