"""A running Envoy: gives it a table, and says what it does with it."""

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from steerway.delivery.router.adapters import files, programs, xds
from steerway.delivery.router.adapters.admin import Admin
from steerway.delivery.router.adapters.bootstrap import LISTENERS, Site, bootstrap, listeners
from steerway.delivery.router.adapters.files import Files
from steerway.delivery.router.adapters.switch import switch
from steerway.delivery.router.adapters.xds import CLUSTERS, ROUTES, Json
from steerway.delivery.router.errors import HomeTooDeep, RouterDown, RouterRefused
from steerway.delivery.router.rules import Ack, Count, Endpoint, Signals, Table, conflicts, outcomes

UPGRADE_LIMIT: Final = timedelta(seconds=20)
HEALTHY_LIMIT: Final = timedelta(seconds=5)
DRAIN_LIMIT: Final = timedelta(seconds=10)
LOG_BYTES_MAX: Final = 50_000_000
LOGS_KEPT: Final = 5
HANDOVER: Final = "_parent_167772150"  # the longest that Envoy appends
SOCKET_CHARACTERS_MAX: Final = 107
COUNTER: Final = re.compile(r"envoy_(req|att)_requests\{(.*)\} (\d+)")
LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
KINDS: Final = {"req": "request", "att": "attempt"}


class Envoy:
    """The router of this installation, by its files and its admin socket."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.admin = Admin(site.admin, site.log / "router.log")
        self.files = Files(site.xds, self.admin)

    def prepare(self) -> None:
        """Lay out what Envoy starts from; what it served last stays. Safe while it runs.

        Raises:
            HomeTooDeep: the paths of its sockets would be too long.
        """
        site, nothing = self.site, Table()
        if (excess := len(f"{site.handover}{HANDOVER}") - SOCKET_CHARACTERS_MAX) > 0:
            raise HomeTooDeep(path=site.run, excess=excess)
        site.xds.mkdir(parents=True, exist_ok=True)
        site.log.mkdir(parents=True, exist_ok=True)
        _lay(site.run / "bootstrap.json", bootstrap(site))
        _lay(site.run / "router-start.json", programs.start(site))
        _lay(site.xds / LISTENERS, listeners(site))
        if not (site.xds / CLUSTERS).exists():
            _lay(site.xds / CLUSTERS, xds.clusters(nothing))
        if not (site.xds / ROUTES).exists():
            _lay(site.xds / ROUTES, xds.routes(nothing))

    def apply(
        self,
        table: Table,
        *,
        healthy_limit: timedelta = HEALTHY_LIMIT,
        drain_limit: timedelta = DRAIN_LIMIT,
    ) -> Ack:
        """Serve this table; return when Envoy does.

        Versions come first and go last: a new one is routed to when its replicas are healthy or
        the limit is over, one that left is forgotten when its requests have ended or the limit is
        over. A host never moves from a version with healthy replicas to one without. An equal
        table writes nothing.

        Raises:
            RouterRefused: Envoy, or a check before it, said no; what was served stays.
            RouterDown: it does not answer.
        """
        if problems := conflicts(table):
            raise RouterRefused(kind="table", reason=f"{'; '.join(problems)}.")
        if not self.ready():
            raise RouterDown(reason="it is starting", log=self.admin.log)
        return switch(self.files, table, healthy_limit=healthy_limit, drain_limit=drain_limit)

    def ready(self) -> bool:
        """Whether Envoy runs and has taken its files.

        Raises:
            RouterDown: it does not run.
        """
        return self.admin.get("/ready").strip() == "LIVE"

    def serving(self) -> int | None:
        """The process that answers and is ready; during an upgrade, the new one once it is.

        Raises:
            RouterDown: none runs.
        """
        known = json.loads(self.admin.get("/server_info"))
        if known["state"] != "LIVE":
            return None
        epoch = known["command_line_options"]["restart_epoch"]
        return next((one.pid for one in programs.running(self.site) if one.epoch == epoch), None)

    def is_outdated(self) -> bool:
        """Whether the router that runs was started from another Envoy or other settings.

        Ask before `prepare`, which writes down the new ones; `upgrade` then does the rest.

        Raises:
            RouterDown: none runs.
        """
        settings = files.read(self.site.run / "bootstrap.json") != bootstrap(self.site)
        start = files.read(self.site.run / "router-start.json") != programs.start(self.site)
        return settings or start or not programs.is_installed(self.serving())

    def upgrade(self, limit: timedelta = UPGRADE_LIMIT) -> None:
        """Put the installed Envoy in the place of the running one; no request is lost.

        Raises:
            RouterRefused: the new one did not start; the one before keeps serving.
            RouterDown: none runs.
        """
        before = self.serving()
        self.prepare()
        programs.replace(self.site)
        if not files.wait(lambda: self._is_replaced(before), limit):
            raise RouterRefused(kind="Envoy", reason=f"see {self.admin.log}.")

    def healthy(self, cluster: str) -> tuple[int, int]:
        """How many replicas of a version may have traffic, and of how many. (0, 0): unknown."""
        endpoints = self.admin.health(cluster).get(cluster, {})
        return sum(endpoints.values()), len(endpoints)

    def active_requests(self, *clusters: str) -> int:
        """Requests that these versions are answering or about to."""
        return self.admin.active_requests(*clusters)

    def counts(self) -> list[Count]:
        """Requests and attempts by version and outcome, since Envoy started.

        They start again at zero when it crashed or was upgraded.
        """
        text = self.admin.get(r"/stats/prometheus?filter=^(req|att)\.requests")
        return [_count(*match.groups()) for match in COUNTER.finditer(text)]

    def signals(
        self, service: str, environment: str, clusters: Sequence[str]
    ) -> dict[str, Signals]:
        """What each of these versions has done since Envoy started, in three questions.

        They start again at zero when it crashed or was upgraded; see `serving`.
        """
        # Names have no dots, so nothing else begins like this.
        place = rf"service\.{service}\.environment\.{environment}\."
        text = self.admin.get(rf"/stats/prometheus?filter=^att\.requests\.{place}")
        counts = [_count(*match.groups()) for match in COUNTER.finditer(text)]
        health = self.admin.health(*clusters)
        active = self.admin.active(*clusters)
        # Last: a question has Envoy gather its histograms, and the next one gets them.
        paces = self.admin.histograms(rf"^pace\.milliseconds\.{place}")
        found = {}
        for cluster in clusters:
            ended, failed, refused = outcomes(one for one in counts if one.version == cluster)
            endpoints = health.get(cluster, {})
            pace = next((one for name, one in paces.items() if name.endswith(f".{cluster}")), None)
            found[cluster] = Signals(
                ended=ended,
                failed=failed,
                refused=refused,
                not_above=pace or Signals().not_above,
                active=active.get(cluster, 0),
                healthy=sum(endpoints.values()),
                replicas=len(endpoints),
            )
        return found

    def replica_counts(self, *clusters: str) -> dict[str, dict[Endpoint, tuple[int, int]]]:
        """Requests of each replica of these versions, and how many of them failed."""
        return self.admin.replica_counts(*clusters)

    def shadow_signals(self, cluster: str) -> Signals:
        """What a version that only gets copies of requests has done since Envoy started.

        Copies are in no statistics by attempt, but in those of the version's own cluster.
        """
        classes = self.admin.statistics(rf"^cluster\.{cluster}\.upstream_rq_[2345]xx$")
        answers = {name[-3:]: int(value) for name, value in classes.items()}
        endpoints = self.admin.health(cluster).get(cluster, {})
        active = self.admin.active(cluster)[cluster]
        paces = self.admin.histograms(rf"^cluster\.{cluster}\.upstream_rq_time$")
        return Signals(
            ended=sum(answers.values()),
            failed=answers.get("5xx", 0),
            refused=answers.get("4xx", 0),
            not_above=next(iter(paces.values()), Signals().not_above),
            active=active,
            healthy=sum(endpoints.values()),
            replicas=len(endpoints),
        )

    def version(self) -> str:
        """The version of the Envoy that runs, as `1.40.0`."""
        return str(json.loads(self.admin.get("/server_info"))["version"]).split("/")[1]

    def rotate_logs(self, *, bytes_max: int = LOG_BYTES_MAX, kept: int = LOGS_KEPT) -> bool:
        """Begin a new access log, and a new log of Envoy's own, where one is full.

        Raises:
            RouterDown: it does not run; it goes on in the log that was put aside.
        """
        logs = [self.site.log / name for name in ("access.log", "failures.log", "router.log")]
        full = [log for log in logs if files.size(log) >= bytes_max]
        for log in full:
            for number in range(kept, 0, -1):
                newer = log.with_name(f"{log.name}.{number - 1}") if number > 1 else log
                if newer.exists():
                    newer.replace(log.with_name(f"{log.name}.{number}"))
        if full:
            self.admin.post("/reopen_logs")
        return bool(full)

    def _is_replaced(self, before: int | None) -> bool:
        try:
            return self.serving() not in {before, None}
        except RouterDown:
            return False  # the admin socket changes hands


def _lay(path: Path, document: Json) -> None:
    """Write what differs: Envoy looks at every file that is renamed into place."""
    if files.read(path) != document:
        files.write(path, document)


def _count(kind: str, labels: str, requests: str) -> Count:
    found = dict(LABEL.findall(labels))
    return Count(
        kind=KINDS[kind],
        service=found["service"],
        environment=found["environment"],
        version=found["version"],
        code=int(found["code"]),
        flags=found["flags"],
        requests=int(requests),
    )
