"""What each step of a deployment does. A step may run twice: it sets, it never adds.

Every function takes the ground, the deployment and the number of the wave, and gives a note
for people. A refusal is a SteerwayError; it ends the deployment and undoes it.
"""

import getpass
import shutil
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from steerway.delivery.analyses import queries as analyses
from steerway.delivery.builds import workflows as builds
from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.builds.rules import Order
from steerway.delivery.builds.workflows import Brake, Workshop
from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.descriptor import ReleaseSection
from steerway.delivery.deployments.errors import (
    Cancelled,
    TooLittleSpace,
    VariablesMissing,
    WorseBefore,
)
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.rules import (
    Kind,
    Step,
    Strategy,
    leaving,
    share_percent,
    waves,
)
from steerway.delivery.deployments.workflows import judging, replicas, traffic
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.releases import workflows as releases
from steerway.delivery.releases.models import Release
from steerway.delivery.repositories import workflows as repositories
from steerway.delivery.repositories.descriptor import SourceSection
from steerway.delivery.router import actions as routes
from steerway.delivery.router.descriptor import RouteSection
from steerway.delivery.runtimes import queries as runtimes
from steerway.delivery.runtimes.descriptor import RunSection
from steerway.delivery.runtimes.rules import missing
from steerway.planning.catalog import queries as catalog
from steerway.platform.db import reading, unit_of_work
from steerway.platform.secrets import queries as secrets

# Below this much free space nothing is started: logs and databases need room as well.
FREE_BYTES_MIN: Final = 200_000_000
MEGA: Final = 1_000_000


class Unchanged(Exception):
    """What would be deployed serves already."""


def preflight(ground: Ground, deployment: Deployment, wave: int) -> str:
    """Whether everything that is needed is there, before anything is changed.

    Raises:
        VariablesMissing: the environment must set variables and has not.
        SecretsMissing: secrets are not in the store.
        HostTaken: a host name leads to another service.
        TooLittleSpace: too little space is free.
        Unavailable: supervisord or the router does not answer.
    """
    run = RunSection.stored(deployment.plan["run"])
    if names := missing(run):
        raise VariablesMissing(
            service=deployment.service,
            environment=deployment.environment,
            names=" and ".join(names),
        )
    with reading():
        secrets.sealed(deployment.service, deployment.environment, run.secrets)
        hosts = RouteSection.stored(deployment.plan["route"]).hosts
        routes.check_hosts(deployment.service, deployment.environment, hosts)
    free = shutil.disk_usage(ground.home).free
    if free < FREE_BYTES_MIN:
        raise TooLittleSpace(
            free_mb=free // MEGA, needed_mb=FREE_BYTES_MIN // MEGA, home=ground.home
        )
    ground.supervisor.ensure()
    traffic.await_router(ground)
    return f"{free // (1000 * MEGA)} GB free"


def build(ground: Ground, deployment: Deployment, wave: int) -> str:
    """The release: built now, built before, or the one to return to.

    Raises:
        Unchanged: it serves already with this configuration, and nobody forces it.
    """
    if deployment.kind == Kind.ROLLBACK:
        return f"{deployment.version} was built before"
    with reading():
        file = Path(catalog.get(deployment.service).file)
    commit = repositories.resolve(
        ground.git,
        source=SourceSection.stored(deployment.plan["source"]),
        base=file.parent,
        ref=deployment.ref_asked,
    )
    order = Order(
        service=deployment.service,
        commit=commit,
        section=BuildSection.stored(deployment.plan["build"]),
        runner=deployment.id,
    )
    workshop = Workshop(ground.git, ground.builder, ground.store)
    brake = Brake(cancelled=lambda: _is_cancelled(deployment))
    release = builds.build(workshop, ground.work, order, brake)
    with unit_of_work():
        actions.take_release(ground.work(), deployment, release)
    now = deployment.previous
    is_same = now and (now.release_id, now.config_digest) == (release.id, deployment.config_digest)
    names = dict.fromkeys([release.name, commit.short])  # one where nobody gave a name
    note = " · ".join([" ".join(names), release.short, *commit.notes])
    if not deployment.force:
        _refuse_worse(deployment, release)
    if is_same and not deployment.force:
        with unit_of_work():
            actions.leave(ground.work(), deployment, Step.BUILD, note=note)
        raise Unchanged
    return note


def install(ground: Ground, deployment: Deployment, wave: int) -> str:
    """The release's files, whole and unchanged, with their interpreter linked."""
    assert deployment.release is not None
    manifest = ground.store.verify(deployment.release.digest)
    ground.store.install(deployment.release.digest, ground.builder.python)
    return f"{len(manifest.files)} files verified"


def installed(deployment: Deployment) -> Mapping[str, object]:
    """What was installed where: the inputs of the installation, for the record of it."""
    assert deployment.release is not None
    return {
        "digest": deployment.release.digest,
        "config_digest": deployment.config_digest,
        "host": socket.gethostname(),
        "user": getpass.getuser(),
    }


def configure(ground: Ground, deployment: Deployment, wave: int) -> str:
    """Places for the replicas: ports, directories, variables."""
    placed = replicas.place(ground, deployment)
    ports = [str(replica.port) for replica in placed if replica.port]
    return f"ports {', '.join(ports)}" if ports else f"{_counted(len(placed), 'replica')}, no port"


def start(ground: Ground, deployment: Deployment, wave: int) -> str:
    """The replicas of this wave, told to run."""
    _refuse_cancelled(deployment)
    for replica in _wave(deployment, wave):
        replicas.start(ground, deployment, replica)
    return _progress(deployment, wave, "started")


def verify(ground: Ground, deployment: Deployment, wave: int) -> str:
    """The replicas of this wave, healthy.

    Raises:
        Unhealthy, Died: with the last lines of its log.
    """
    replicas.await_healthy(
        ground, deployment, _wave(deployment, wave), lambda: _refuse_cancelled(deployment)
    )
    return _progress(deployment, wave, "healthy")


def switch(ground: Ground, deployment: Deployment, wave: int) -> str:
    """Traffic moved to what has come up so far.

    Raises:
        Cancelled: somebody stopped it just before.
    """
    if judging.is_judged(deployment):
        if percent := judging.begin(ground, deployment):
            judging.point(ground, deployment, percent)
        return f"{percent:g} % of traffic"
    with unit_of_work():
        if not actions.switched(ground.work(), deployment):
            raise Cancelled(by=queries.by_id(deployment.id).cancelled_by)
    if deployment.plan["run"]["port"] == traffic.NO_PORT:
        return "it serves no traffic"
    percent = share_percent(wave, _wave_count(deployment))
    # The stable version comes first: sticky clients stay with it while the other grows.
    shares = {deployment.previous_id: traffic.ALL - percent} if deployment.previous_id else {}
    shares = {one: share for one, share in shares.items() if share}
    traffic.point(ground, deployment, shares | {deployment.id: percent if shares else traffic.ALL})
    return f"{percent} % of traffic"


def judge(ground: Ground, deployment: Deployment, wave: int) -> str:
    """All of the traffic, earned beside what served before.

    Raises:
        Worse: it must go.
        Cancelled: somebody stopped it.
    """
    return judging.conduct(ground, deployment) if judging.is_judged(deployment) else judging.ALONE


def drain(ground: Ground, deployment: Deployment, wave: int) -> str:
    """The old replicas that this wave replaces: out of traffic, their requests ended, stopped."""
    if not deployment.previous_id:
        return "nothing served before"
    with reading():
        old = [r for r in runtimes.of_deployment(deployment.previous_id) if r.retired_at is None]
    indexes = leaving([r.index for r in old], wave, _wave_count(deployment))
    limit = ReleaseSection.stored(deployment.plan["release"]).drain
    going = [r for r in old if r.index in indexes]
    traffic.withdraw(ground, going, limit=limit)
    replicas.stop(ground, going)
    return f"{_counted(len(going), 'old replica')} stopped"


def retire(ground: Ground, deployment: Deployment, wave: int) -> str:
    """All else in its place: what served before, and what an earlier failure left behind."""
    with reading():
        live = runtimes.live(deployment.service, deployment.environment)
    for other in dict.fromkeys(r.deployment_id for r in live):
        if other != deployment.id:
            replicas.retire(ground, other)
    traffic.apply(ground)
    return "" if deployment.previous_id else "nothing served before"


def tidy(ground: Ground, deployment: Deployment) -> None:
    """Give up releases beyond what the descriptor keeps, never one that may be needed."""
    keep = ReleaseSection.stored(deployment.plan["release"]).keep
    releases.keep(
        ground.store,
        ground.work,
        service=deployment.service,
        count=keep,
        protected=lambda: queries.protected_releases(deployment.service),
    )


TAKE: Mapping[Step, Callable[[Ground, Deployment, int], str]] = {
    Step.PREFLIGHT: preflight,
    Step.BUILD: build,
    Step.INSTALL: install,
    Step.CONFIGURE: configure,
    Step.START: start,
    Step.VERIFY: verify,
    Step.SWITCH: switch,
    Step.JUDGE: judge,
    Step.DRAIN: drain,
    Step.RETIRE: retire,
}


def _wave(deployment: Deployment, wave: int) -> list[int]:
    return waves(Strategy(deployment.strategy), deployment.replica_count)[wave]


def _wave_count(deployment: Deployment) -> int:
    return len(waves(Strategy(deployment.strategy), deployment.replica_count))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _progress(deployment: Deployment, wave: int, what: str) -> str:
    done = sum(len(_wave(deployment, w)) for w in range(wave + 1))
    return f"{done} of {deployment.replica_count} {what}"


def _refuse_worse(deployment: Deployment, release: Release) -> None:
    """The same release with the same configuration does not go round in circles.

    Raises:
        WorseBefore: it was found worse as often as the descriptor lets it try.
    """
    attempts = ReleaseSection.stored(deployment.plan["release"]).canary.attempts
    with reading():
        earlier = queries.of_same(deployment, release)
        found = analyses.worse_before(one.id for one in earlier)
    if len(found) >= attempts:
        raise WorseBefore(
            version=release.name,
            times=len(found),
            ref=found[0].ref,
            reason=found[0].reasons[0] if found[0].reasons else "",
        )


def _is_cancelled(deployment: Deployment) -> bool:
    with reading():
        return bool(queries.by_id(deployment.id).cancelled_by)


def _refuse_cancelled(deployment: Deployment) -> None:
    with reading():
        now = queries.by_id(deployment.id)
    if now.cancelled_by and now.switched_at is None:
        raise Cancelled(by=now.cancelled_by)
