"""Writes of builds. Races for one input are settled by the database."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from steerway.delivery.builds.models import Build
from steerway.delivery.builds.rules import CURRENT, LEASE, LOST_AFTER, Order, State
from steerway.delivery.releases import actions as releases
from steerway.delivery.releases.models import Release
from steerway.delivery.releases.rules import Origin, Sealed
from steerway.platform.work import Work


def request(work: Work, order: Order, *, input_digest: str) -> Build:
    """The build of this input: one that is under way or done, else a new one."""
    current = _current(order.service, input_digest)
    if current is not None and not _is_stale(current):
        return current
    if current is not None:
        expire(work, current)
    try:
        with transaction.atomic():
            return Build.objects.create(
                service=order.service,
                commit=order.commit.id,
                name=order.commit.name,
                input_digest=input_digest,
                asked_at=work.now,
            )
    except IntegrityError:  # somebody asked for the same in this moment
        winner = _current(order.service, input_digest)
        assert winner is not None, "the constraint that refused it names it"
        return winner


def _current(service: str, input_digest: str) -> Build | None:
    builds = Build.objects.select_related("release")
    return builds.filter(service=service, input_digest=input_digest, state__in=CURRENT).first()


def _is_stale(build: Build) -> bool:
    return build.release is not None and not build.release.is_present


def expire(work: Work, build: Build) -> None:
    """The files of a succeeded build are gone: its input may be built again."""
    Build.objects.filter(pk=build.pk, state=State.SUCCEEDED).update(state=State.EXPIRED)


def claim(work: Work, build: Build, *, runner: UUID) -> bool:
    """Whether `runner` is now the one that builds it.

    It is when nobody is, when it was before its server was killed, and when the one that was
    has not been seen for LEASE.
    """
    free = Q(state=State.QUEUED)
    ours_or_lost = Q(state=State.RUNNING) & (Q(runner=runner) | Q(seen_at__lt=work.now - LEASE))
    claimed = Build.objects.filter(free | ours_or_lost, pk=build.pk).update(
        state=State.RUNNING, runner=runner, started_at=work.now, seen_at=work.now
    )
    if claimed:
        work.record(
            "build.started",
            str(build.id),
            service=build.service,
            commit=build.commit,
            input_digest=build.input_digest,
            runner=str(runner),
        )
    return bool(claimed)


def beat(work: Work, build: Build, *, runner: UUID) -> bool:
    """Whether `runner` still builds it; notes that it lives."""
    mine = Build.objects.filter(pk=build.pk, runner=runner, state=State.RUNNING)
    return bool(mine.update(seen_at=work.now))


def finish(work: Work, build: Build, *, origin: Origin, sealed: Sealed) -> Release:
    """Record the release of a build whose files are on disk."""
    release = releases.register(work, service=build.service, origin=origin, sealed=sealed)
    if _end(work, build, State.SUCCEEDED, release=release):
        work.record(
            "build.succeeded",
            str(build.id),
            service=build.service,
            release=str(release.id),
            digest=release.digest,
        )
    return release


def fail(work: Work, build: Build, *, error: str, last_lines: list[str]) -> None:
    """Record why a build has no release."""
    if _end(work, build, State.FAILED, error=error, last_lines=last_lines):
        work.record("build.failed", str(build.id), service=build.service, error=error)


def cancel(work: Work, build: Build) -> None:
    """Record that a build was stopped; nothing when it has ended."""
    if _end(work, build, State.CANCELLED):
        work.record("build.cancelled", str(build.id), service=build.service)


def give_up_lost(work: Work) -> int:
    """Fail the builds whose server stopped and never came back for them; how many."""
    lost = Build.objects.filter(state=State.RUNNING, seen_at__lt=work.now - LOST_AFTER)
    builds = list(lost)
    for build in builds:
        fail(work, build, error="its server stopped and did not come back", last_lines=[])
    return len(builds)


def _end(work: Work, build: Build, state: State, **fields: object) -> bool:
    """Move a build to its end, once: who comes second, or runs twice, finds it there."""
    fresh = Build.objects.select_for_update().get(pk=build.pk)
    if fresh.state not in (State.QUEUED, State.RUNNING):
        return False
    fresh.move_to(state, work.now)
    for name, value in fields.items():
        setattr(fresh, name, value)
    fresh.save()
    return True
