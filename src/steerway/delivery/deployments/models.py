"""The tables of deployments and their steps."""

from django.db import models

from steerway.delivery.deployments.rules import (
    Kind,
    State,
    Step,
    StepState,
    Strategy,
    deployment_ref,
)
from steerway.delivery.releases.models import Release
from steerway.planning.changes.models import Change
from steerway.platform.db import new_id


class Deployment(models.Model):
    """One attempt to make a release serve. `plan` and `config_digest` never change."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.BigIntegerField(unique=True)
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in Kind])
    service = models.CharField(max_length=60)
    environment = models.CharField(max_length=60)
    change = models.OneToOneField(Change, on_delete=models.PROTECT, related_name="deployment")
    ref_asked = models.CharField(
        max_length=200, help_text="What was asked for: v2, main, a commit."
    )
    force = models.BooleanField(default=False)
    dark = models.BooleanField(
        default=False, help_text="It runs without a user until somebody releases it."
    )
    strategy = models.CharField(max_length=20, choices=[(s.value, s.value) for s in Strategy])
    plan = models.JSONField(help_text="The merged sections, as they were when it was asked for.")
    config_digest = models.CharField(max_length=80)
    release = models.ForeignKey(
        Release, null=True, on_delete=models.PROTECT, related_name="deployments"
    )
    previous = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    requested_by = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    state = models.CharField(
        max_length=20, choices=[(s.value, s.value) for s in State], default=State.RUNNING.value
    )
    switched_at = models.DateTimeField(null=True, help_text="When users first reached it.")
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    log_tail = models.TextField(blank=True)
    cancelled_by = models.CharField(max_length=200, blank=True)
    bad_at = models.DateTimeField(null=True, help_text="When it was rolled back from.")
    serves = models.BooleanField(
        default=False, help_text="The newest that succeeded in its place: it has the traffic."
    )

    class Meta:
        db_table = "deployment"
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["service", "environment", "-number"]),
            models.Index(fields=["service", "-number"]),
            models.Index(fields=["environment", "-number"]),
            models.Index(fields=["state", "-number"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "environment"],
                condition=models.Q(state=State.RUNNING.value),
                name="one_running_deployment",
            ),
            models.UniqueConstraint(
                fields=["service", "environment"],
                condition=models.Q(serves=True),
                name="one_serving_deployment",
            ),
        ]

    @property
    def ref(self) -> str:
        """How people call it."""
        return deployment_ref(self.number)

    @property
    def replica_count(self) -> int:
        """How many replicas it runs."""
        return int(self.plan["run"]["replicas"])

    @property
    def version(self) -> str:
        """What people call the thing deployed."""
        return self.release.name if self.release else self.ref_asked

    @property
    def is_running(self) -> bool:
        """Whether its workflow still has something to do."""
        return self.state == State.RUNNING


class DeploymentStep(models.Model):
    """How far one step of a deployment is."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="steps")
    position = models.SmallIntegerField()
    name = models.CharField(max_length=20, choices=[(s.value, s.value) for s in Step])
    state = models.CharField(
        max_length=20,
        choices=[(s.value, s.value) for s in StepState],
        default=StepState.WAITING.value,
    )
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "deployment_step"
        ordering = ["deployment", "position"]
        constraints = [
            models.UniqueConstraint(fields=["deployment", "position"], name="one_step_a_position")
        ]
