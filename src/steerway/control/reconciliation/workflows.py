"""One look at everything, and what is done about it. Called every second by the server.

What is done is bounded: a start is asked for at most once a second and program, supervisord
and the shim slow down what keeps ending, and a paused service is left alone.
"""

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from steerway.control.reconciliation.rules import Finding, compare
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.deployments.workflows import traffic
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.deployments.workflows.replicas import retire
from steerway.delivery.router.adapters import programs as router_programs
from steerway.delivery.router.errors import RouterDown, RouterRefused
from steerway.delivery.runtimes import actions as runtimes
from steerway.delivery.runtimes import queries as replicas
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import Process, ProcessState
from steerway.planning.catalog import queries as catalog
from steerway.platform.db import Remembered, reading, unit_of_work
from steerway.platform.errors import SteerwayError

LOGGER = logging.getLogger("steerway.reconciliation")

# Once in so many looks, full logs are rotated, what is left over is ended, and the router's files
# are rendered again, should anybody have edited them.
LOOKS_A_ROUND: Final = 30
STARTED: Final = (ProcessState.STARTING, ProcessState.RUNNING, ProcessState.BACKOFF)


@dataclass(slots=True)
class Reconciler:
    """Keeps one installation as recorded. It remembers only what it saw last."""

    ground: Ground
    router_pids: set[int] = field(default_factory=set)
    looks: int = 0
    _seen: Remembered[list[Replica]] = field(init=False)
    _off: "Remembered[_Off]" = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self._seen = Remembered(self._live)
        self._off = Remembered(_Off.now)

    def look(self) -> None:
        """Compare once, and act. What is wrong with one program keeps no other from its care.

        Raises:
            SteerwayError: the first thing that could not be done; the next look tries again.
        """
        self.keep_supervisor()
        # In this order: what a deployment notes meanwhile is newer than what is seen here, and a
        # note of a row that has changed since it was read is not taken.
        live = self._seen()
        processes = self.ground.supervisor.processes()
        self.looks += 1
        troubles = self.keep_replicas(live, processes)
        with _noting(troubles):
            self.keep_router(processes)
        if self.looks % LOOKS_A_ROUND == 0:
            with _noting(troubles):
                self.clear_away()
            with _noting(troubles):
                self.ground.supervisor.rotate()
        for trouble in troubles:
            raise trouble

    def keep_supervisor(self) -> None:
        """Have supervisord run; it adopts the programs that it finds running."""
        if self.ground.supervisor.ensure():
            self._say("supervisor.restarted", "supervisord")

    def keep_router(self, processes: Mapping[str, Process]) -> None:
        """The router runs and serves what the records say."""
        seen = processes.get(router_programs.NAME)
        if seen is None or seen.state not in STARTED:
            start_router(self.ground)
            return
        pids = {one.pid for one in router_programs.running(self.ground.envoy.site)}
        is_new = bool(pids) and not pids & self.router_pids
        if is_new and self.router_pids:
            self._say("router.restarted", "router", pid=max(pids))
        self.router_pids = pids or self.router_pids
        if is_new or self.looks % LOOKS_A_ROUND == 0:
            # Deployments render as they go; this is for a new router and for stray edits.
            with contextlib.suppress(RouterDown):  # It is starting, with the files of before.
                traffic.apply(self.ground)
                self.ground.envoy.rotate_logs()

    def keep_replicas(
        self, live: Sequence[Replica], processes: Mapping[str, Process]
    ) -> list[SteerwayError]:
        """Every wanted replica runs, and what is seen of each is recorded; what went wrong."""
        troubles: list[SteerwayError] = []
        off = self._off()
        for replica in live:
            if replica not in off and _finding(replica, processes) is not Finding.AS_WANTED:
                with _noting(troubles):
                    self._keep(replica)
        with unit_of_work():
            for replica in live:
                if replica.program in processes:
                    runtimes.note(self.ground.work(), replica, processes[replica.program])
        return troubles

    def clear_away(self) -> None:
        """End what no deployment has use for: what one left behind when its last step failed."""
        with reading():
            # In this order: a deployment that ends meanwhile is in the second or in the third.
            idle = [replica for replica in self._live() if not replica.routed]
            off = _Off.now()
            serving = {one["id"] for one in deployments.serving_ids()}
        left = (r for r in idle if r not in off and r.deployment_id not in serving)
        for deployment_id in dict.fromkeys(replica.deployment_id for replica in left):
            retire(self.ground, deployment_id)

    def _live(self) -> list[Replica]:
        mine = set(catalog.living_on(self.ground.node))
        return [replica for replica in replicas.live() if replica.service in mine]

    def _keep(self, before: Replica) -> None:
        """Act, on what is so now: since the look began, a deployment may have come and gone."""
        with reading():
            replica = replicas.by_program(before.program)
            if replica is None or replica.retired_at or replica in _Off.now():
                return
        finding = _finding(replica, self.ground.supervisor.processes())
        if finding in (Finding.MISSING, Finding.ASLEEP):
            self.ground.supervisor.add(replica.to_run())
            self.ground.supervisor.start(replica.program)
            self._say(
                "replica.restored",
                replica.program,
                service=replica.service,
                environment=replica.environment,
                was=finding.value,
            )
        elif finding is Finding.SURPLUS:
            self.ground.supervisor.stop(replica.program)

    def _say(self, what: str, subject: str, **data: object) -> None:
        service = str(data.pop("service", ""))
        environment = str(data.pop("environment", ""))
        with unit_of_work():
            self.ground.work().record(
                what, subject, service=service, environment=environment, **data
            )


@dataclass(frozen=True, slots=True)
class _Off:
    """What is left alone: services that are paused, and places where a deployment is at work."""

    services: frozenset[str]
    places: frozenset[tuple[str, str]]

    @classmethod
    def now(cls) -> "_Off":
        return cls(frozenset(catalog.paused_names()), frozenset(deployments.busy_places()))

    def __contains__(self, replica: Replica) -> bool:
        place = (replica.service, replica.environment)
        return replica.service in self.services or place in self.places


def _finding(replica: Replica, processes: Mapping[str, Process]) -> Finding:
    seen = processes.get(replica.program)
    return compare(
        wanted=replica.wanted,
        known=seen is not None,
        started=seen is not None and seen.state in STARTED,
    )


@contextlib.contextmanager
def _noting(troubles: list[SteerwayError]) -> Iterator[None]:
    """Go on after the block, whatever was refused in it."""
    try:
        yield
    except SteerwayError as trouble:
        troubles.append(trouble)


def start_router(ground: Ground) -> None:
    """Have the router run; its files are laid out first, and what it served last stays.

    Raises:
        RouterPortTaken: another program has its port.
        Unavailable: supervisord does not answer.
    """
    site = ground.envoy.site
    router_programs.check_port(site)
    if router_programs.running(site):
        upgrade_router(ground)
    else:
        ground.envoy.prepare()
    program = router_programs.program(site)
    ground.supervisor.add(program)
    ground.supervisor.start(program.name)


def upgrade_router(ground: Ground) -> None:
    """Put the installed router in the place of one that an earlier version started.

    No request is lost. One that does not answer is left to the next look, and one that stays
    because the new one did not start serves on: that is no reason for the server to end.
    """
    try:
        if ground.envoy.is_outdated():
            ground.envoy.upgrade()
            with unit_of_work():
                ground.work().record("router.upgraded", "router", version=ground.envoy.version())
    except (RouterDown, RouterRefused) as trouble:
        LOGGER.warning("the router is not upgraded: %s", trouble)
