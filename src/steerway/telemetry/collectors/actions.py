"""Pausing and resuming a collector."""

from steerway.platform.work import Work
from steerway.telemetry.collectors.errors import CollectorPaused, CollectorRuns, CollectorUnknown
from steerway.telemetry.collectors.models import PausedCollector
from steerway.telemetry.collectors.rules.kinds import KINDS


def pause(work: Work, name: str, *, reason: str) -> PausedCollector:
    """Let a collector not look until it is resumed: its series end.

    Raises:
        CollectorUnknown: there is none of that name.
        CollectorPaused: it is paused already.
    """
    work.allow("collectors.pause", on=name)
    _known(name)
    found, is_new = PausedCollector.objects.get_or_create(
        name=name,
        defaults={"paused_at": work.now, "paused_by": work.actor.name, "reason": reason},
    )
    if not is_new:
        raise CollectorPaused(name=name, by=found.paused_by)
    work.record("collector.paused", name, reason=reason)
    return found


def resume(work: Work, name: str) -> None:
    """Let a collector look again.

    Raises:
        CollectorUnknown: there is none of that name.
        CollectorRuns: it is not paused.
    """
    work.allow("collectors.pause", on=name)
    _known(name)
    deleted, _ = PausedCollector.objects.filter(name=name).delete()
    if not deleted:
        raise CollectorRuns(name=name)
    work.record("collector.resumed", name)


def _known(name: str) -> None:
    if name not in KINDS:
        raise CollectorUnknown(name=name, known=", ".join(KINDS))
