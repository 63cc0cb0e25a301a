"""The table of builds."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from steerway.delivery.builds import errors
from steerway.delivery.builds.rules import CURRENT, NEXT, State
from steerway.delivery.releases.models import Release
from steerway.platform.db import new_id


class Build(models.Model):
    """One attempt to make a release out of one input."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.CharField(max_length=40)
    commit = models.CharField(max_length=64)
    name = models.CharField(max_length=250)
    input_digest = models.CharField(max_length=64)
    state = models.CharField(
        max_length=20, choices=[(s.value, s.value) for s in State], default=State.QUEUED
    )
    runner = models.UUIDField(null=True)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    last_lines = models.JSONField(default=list)
    release = models.ForeignKey(Release, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        app_label = "delivery"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service", "input_digest"],
                condition=Q(state__in=[state.value for state in CURRENT]),
                name="build_once_an_input",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["service", "-asked_at"], name="build_newest"),
            models.Index(fields=["state"], name="build_state"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.name}"

    def move_to(self, state: State, at: datetime) -> None:
        """Change the state along the arrows of `NEXT`.

        Raises:
            NotAllowed: there is no arrow.
        """
        if state not in NEXT[State(self.state)]:
            raise errors.NotAllowed(id=self.id, state=self.state, wanted=state)
        self.state = state
        if state is State.RUNNING:
            self.started_at = at
        else:
            self.ended_at = at
