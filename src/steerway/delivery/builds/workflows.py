"""The step that turns a commit into a release. It may run twice, and may be asked for twice."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Final

from steerway.delivery.builds import actions, errors, queries, rules
from steerway.delivery.builds.adapters.builder import Builder, Built, Job
from steerway.delivery.builds.models import Build
from steerway.delivery.builds.rules import Order, State
from steerway.delivery.releases import workflows as releases
from steerway.delivery.releases.adapters.store import Store
from steerway.delivery.releases.models import Release
from steerway.delivery.releases.rules import Origin, Sealed
from steerway.delivery.repositories.adapters.git import Git
from steerway.platform.db import unit_of_work
from steerway.platform.errors import SteerwayError, Unavailable
from steerway.platform.work import Work

# Each round ends with a release, an error, or somebody else's build that ended without one.
ROUNDS_MAX: Final = 100
WAIT_SECONDS: Final = 0.2  # between two looks at somebody else's build
BEAT: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a build needs of this machine."""

    git: Git
    builder: Builder
    store: Store


@dataclass(frozen=True, slots=True)
class Brake:
    """How to ask whether to go on, and how to wait."""

    cancelled: Callable[[], bool] = lambda: False
    pause: Callable[[float], None] = time.sleep


def build(
    workshop: Workshop, work: Callable[[], Work], order: Order, brake: Brake | None = None
) -> Release:
    """The release of a commit: built now, built before, or being built for somebody else.

    Args:
        workshop: the machine.
        work: makes the unit of work of this moment; called for each transaction.
        order: what to build, for whom.
        brake: stops it; polled several times a second.

    Raises:
        BuildFailed: with the end of the log in `fields["last_lines"]`.
        BuildCancelled: the brake was pulled.
        Unavailable: the disk is full, or the repository does not answer; trying again may work.
    """
    brake = brake or Brake()
    machine = workshop.builder.machine
    digest = rules.input_digest(order.commit.tree, order.section, machine)
    for _ in range(ROUNDS_MAX):
        with unit_of_work():
            asked = actions.request(work(), order, input_digest=digest)
        release = _round(_Bench(workshop, work, order, brake), asked)
        if release is not None:
            workshop.store.install(release.digest, workshop.builder.python)
            return release
    raise errors.BuildFailed(
        service=order.service,
        name=order.commit.name,
        reason="others that built the same were stopped again and again",
        log=workshop.builder.log(asked.id),
        last_lines=[],
    )


def sweep(workshop: Workshop, work: Callable[[], Work]) -> None:
    """Remove what killed servers left of builds and releases; once at start, and now and then."""
    with unit_of_work():
        actions.give_up_lost(work())
    workshop.builder.sweep(queries.running())
    releases.sweep(workshop.store)


@dataclass(frozen=True, slots=True)
class _Bench:
    workshop: Workshop
    work: Callable[[], Work]
    order: Order
    brake: Brake


def _round(bench: _Bench, asked: Build) -> Release | None:
    """The release, or None when the build has ended without one and may be asked for again."""
    if asked.state == State.SUCCEEDED:
        return _present(bench, asked)
    with unit_of_work():
        claimed = actions.claim(bench.work(), asked, runner=bench.order.runner)
    return _run(bench, asked) if claimed else _wait(bench, asked)


def _present(bench: _Bench, done: Build) -> Release | None:
    """The release of a build that is done, unless somebody removed its files by hand."""
    release = done.release
    if release is not None and bench.workshop.store.holds(release.digest):
        return release
    with unit_of_work():
        actions.expire(bench.work(), done)
    return None


def _wait(bench: _Bench, asked: Build) -> Release | None:
    """What somebody else's build becomes, or None when it may be taken over."""
    while True:
        current = queries.get(asked.id)
        if current.state == State.FAILED:
            raise _failed(bench, current, current.error, current.last_lines)
        if current.state not in (State.QUEUED, State.RUNNING):
            return None
        seen_at = current.seen_at or current.asked_at
        if current.state == State.QUEUED or seen_at < bench.work().now - rules.LEASE:
            return None
        if bench.brake.cancelled():
            raise _cancelled(bench)
        bench.brake.pause(WAIT_SECONDS)


def _run(bench: _Bench, claimed: Build) -> Release | None:
    job = Job(
        id=claimed.id,
        section=bench.order.section,
        export=partial(bench.workshop.git.export, bench.order.commit),
        cancelled=bench.brake.cancelled,
        alive=_Pulse(bench, claimed),
    )
    try:
        with bench.workshop.builder.build(job) as built:
            return _seal(bench, claimed, built)
    except errors.Overtaken:
        return None
    except errors.Stopped as error:
        with unit_of_work():
            actions.cancel(bench.work(), claimed)
        raise _cancelled(bench) from error
    except SteerwayError as error:
        raise _recorded(bench, claimed, error) from error


def _seal(bench: _Bench, claimed: Build, built: Built) -> Release:
    commit = bench.order.commit
    origin = Origin(
        commit=commit.id,
        name=commit.name,
        subject=commit.subject,
        author=commit.author,
        input_digest=claimed.input_digest,
    )
    store = bench.workshop.store
    with store.locked():
        sealed: Sealed = store.put(built.tree, kind=built.kind, python=built.python)
        sealed = replace(sealed, notes=(*built.notes, *sealed.notes))
        with unit_of_work():
            return actions.finish(bench.work(), claimed, origin=origin, sealed=sealed)


def _recorded(bench: _Bench, claimed: Build, error: SteerwayError) -> SteerwayError:
    """The error to raise, once the build says why it failed."""
    reason = str(error).rstrip(".")
    lines = last_lines(queries.log(bench.workshop.builder.home, claimed.id))
    with unit_of_work():
        actions.fail(bench.work(), claimed, error=reason, last_lines=lines)
    if isinstance(error, Unavailable):
        return error
    return _failed(bench, claimed, reason, lines)


def last_lines(log: str) -> list[str]:
    """The end of a log, without its moments and what no database takes as text."""
    lines = log.replace("\0", "").splitlines()[-rules.LINES_SHOWN :]
    return [line.partition(" ")[2] for line in lines]


def _failed(bench: _Bench, build: Build, reason: str, lines: list[str]) -> errors.BuildFailed:
    return errors.BuildFailed(
        service=bench.order.service,
        name=bench.order.commit.name,
        reason=reason,
        log=bench.workshop.builder.log(build.id),
        last_lines=lines,
    )


def _cancelled(bench: _Bench) -> errors.BuildCancelled:
    return errors.BuildCancelled(service=bench.order.service, name=bench.order.commit.name)


@dataclass(slots=True)
class _Pulse:
    """Says now and then that this server still builds."""

    bench: _Bench
    build: Build
    due_at: float = field(default=0.0)

    def __call__(self) -> None:
        if time.monotonic() < self.due_at:
            return
        self.due_at = time.monotonic() + BEAT.total_seconds()
        with unit_of_work():
            lives = actions.beat(self.bench.work(), self.build, runner=self.bench.order.runner)
        if not lives:
            raise errors.Overtaken(name=self.bench.order.commit.name)
