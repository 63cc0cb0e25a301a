"""The table of rollouts."""

from typing import Any

from django.db import models

from steerway.delivery.rollouts.rules import RolloutState, Step, kept
from steerway.planning.changes.models import Change
from steerway.platform.db import new_id


class Rollout(models.Model):
    """A variant that reaches more users step by step. `position` is the step that comes next."""

    id = models.UUIDField(primary_key=True, default=new_id)
    service = models.CharField(max_length=40)
    environment = models.CharField(max_length=40)
    flag = models.CharField(max_length=100)
    variant = models.CharField(max_length=100)
    steps: "models.JSONField[list[Any], list[Any]]" = models.JSONField()
    position = models.SmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=20,
        choices=[(s.value, s.value) for s in RolloutState],
        default=RolloutState.RUNNING.value,
    )
    waits_for = models.CharField(max_length=300, blank=True)
    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="+")
    started_by = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "flag_rollout"
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "next_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "environment", "flag"],
                condition=models.Q(state=RolloutState.RUNNING.value),
                name="one_rollout_a_flag",
            )
        ]

    @property
    def plan(self) -> tuple[Step, ...]:
        """All its steps."""
        return kept(self.steps)

    @property
    def is_running(self) -> bool:
        """Whether steps are still to come."""
        return self.state == RolloutState.RUNNING
