"""The tables of changes and holds."""

from django.db import models

from steerway.planning.changes.rules import Brake, Kind, State, change_ref, hold_ref
from steerway.platform.db import new_id


class Change(models.Model):
    """One alteration, from intent to outcome."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.BigIntegerField(unique=True)
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in Kind])
    service = models.CharField(max_length=60)
    environment = models.CharField(max_length=60, blank=True)
    summary = models.CharField(max_length=300)
    why = models.TextField(blank=True)
    emergency = models.BooleanField(default=False)
    requested_by = models.CharField(max_length=200)
    opened_at = models.DateTimeField()
    state = models.CharField(
        max_length=20, choices=[(s.value, s.value) for s in State], default=State.OPEN.value
    )
    closed_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        db_table = "change"
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["service", "-number"]),
            models.Index(fields=["environment", "-number"]),
            models.Index(fields=["state", "-number"]),
            models.Index(fields=["opened_at", "state"]),
        ]

    @property
    def ref(self) -> str:
        """How people call it."""
        return change_ref(self.number)


class Hold(models.Model):
    """A brake on changes; `service` is empty when it holds all."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.BigIntegerField(unique=True)
    brake = models.CharField(max_length=20, choices=[(b.value, b.value) for b in Brake])
    service = models.CharField(max_length=60, blank=True)
    reason = models.TextField()
    placed_by = models.CharField(max_length=200)
    placed_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "change_hold"
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["service"], condition=models.Q(lifted_at=None), name="hold_open")
        ]
        constraints = [
            # Two people who freeze at once make one freeze.
            models.UniqueConstraint(
                fields=["brake"],
                condition=models.Q(lifted_at=None, brake=Brake.FREEZE.value),
                name="one_open_freeze",
            )
        ]

    @property
    def ref(self) -> str:
        """How people call it."""
        return hold_ref(self.number)

    @property
    def target(self) -> str:
        """What it holds."""
        return self.service or "Everything"
