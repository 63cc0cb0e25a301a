"""One look at everything, and what is done about it. Called every second by the server.

What is done is bounded: a start is asked for at most once a second and program, supervisord
and the shim slow down what keeps ending, and a paused service is left alone.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from steerway.control.reconciliation.rules import Finding, compare
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.deployments.workflows import traffic
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.router.adapters import programs as router_programs
from steerway.delivery.router.errors import RouterDown
from steerway.delivery.runtimes import actions as runtimes
from steerway.delivery.runtimes import queries as replicas
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import Process, ProcessState
from steerway.planning.catalog import queries as catalog
from steerway.platform.db import reading, unit_of_work

# Once in so many looks, full logs are rotated, and the router's files are rendered again, should
# anybody have edited them.
LOOKS_A_ROUND: Final = 30
STARTED: Final = (ProcessState.STARTING, ProcessState.RUNNING, ProcessState.BACKOFF)


@dataclass(slots=True)
class Reconciler:
    """Keeps one installation as recorded. It remembers only what it saw last."""

    ground: Ground
    router_pids: set[int] = field(default_factory=set)
    looks: int = 0

    def look(self) -> None:
        """Compare once, and act.

        Raises:
            Unavailable: supervisord or the router does not answer; the next look tries again.
        """
        self.keep_supervisor()
        processes = self.ground.supervisor.processes()
        self.keep_replicas(processes)
        self.keep_router(processes)

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
        self.looks += 1
        if is_new or self.looks % LOOKS_A_ROUND == 0:
            # Deployments render as they go; this is for a new router and for stray edits.
            with contextlib.suppress(RouterDown):  # It is starting, with the files of before.
                traffic.apply(self.ground)
                self.ground.envoy.rotate_logs()
            self.ground.supervisor.rotate()

    def keep_replicas(self, processes: Mapping[str, Process]) -> None:
        """Every wanted replica runs, and what is seen of each is recorded."""
        with reading():
            mine = set(catalog.living_on(self.ground.node))
            live = [replica for replica in replicas.live() if replica.service in mine]
            paused = {service.name for service in catalog.paused()}
            busy = {(d.service, d.environment) for d in deployments.running()}
        for replica in live:
            hands_off = replica.service in paused or (replica.service, replica.environment) in busy
            if not hands_off:
                self._keep(replica, processes.get(replica.program))
        with unit_of_work():
            for replica in live:
                if replica.program in processes:
                    runtimes.note(self.ground.work(), replica, processes[replica.program])

    def _keep(self, replica: Replica, seen: Process | None) -> None:
        finding = compare(
            wanted=replica.wanted,
            known=seen is not None,
            started=seen is not None and seen.state in STARTED,
        )
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

    No request is lost. One that does not answer is left to the next look.
    """
    with contextlib.suppress(RouterDown):
        if ground.envoy.is_outdated():
            ground.envoy.upgrade()
            with unit_of_work():
                ground.work().record("router.upgraded", "router", version=ground.envoy.version())
