"""Reads of rollouts."""

from collections.abc import Iterable
from datetime import datetime

from steerway.delivery.rollouts.models import Rollout
from steerway.delivery.rollouts.rules import RolloutState

ROWS_MAX = 200
DUE_MAX = 100  # taken at a time; the rest a moment later


def running(service: str, environment: str, flag: str) -> Rollout | None:
    """The rollout that runs for a flag in an environment, if one does."""
    found = Rollout.objects.filter(service=service, environment=environment, flag=flag)
    return found.filter(state=RolloutState.RUNNING.value).select_related("change").first()


def of_flag(service: str, flag: str, *, rows: int = 20) -> list[Rollout]:
    """The rollouts of a flag, newest first."""
    found = Rollout.objects.filter(service=service, flag=flag).select_related("change")
    return list(found[: min(rows, ROWS_MAX)])


def all_running(services: Iterable[str]) -> list[Rollout]:
    """The rollouts that run of these services."""
    found = Rollout.objects.filter(state=RolloutState.RUNNING.value, service__in=list(services))
    return list(found.select_related("change")[:ROWS_MAX])


def next_at() -> datetime | None:
    """When the next step of any rollout is due; None when none runs."""
    found = Rollout.objects.filter(state=RolloutState.RUNNING.value, next_at__isnull=False)
    return found.order_by("next_at").values_list("next_at", flat=True).first()


def due(now: datetime) -> list[Rollout]:
    """The running rollouts whose next step is due, the longest due first."""
    found = Rollout.objects.filter(state=RolloutState.RUNNING.value, next_at__lte=now)
    return list(found.select_related("change").order_by("next_at")[:DUE_MAX])
