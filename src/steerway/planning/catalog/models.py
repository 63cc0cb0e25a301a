"""The tables of services and their environments."""

from typing import Any

from django.db import models

from steerway.planning.catalog.rules import State
from steerway.platform.db import new_id

_STATES = [(state.value, state.value) for state in State]


class Service(models.Model):
    """A service as its descriptor declares it."""

    id = models.UUIDField(primary_key=True, default=new_id)
    name = models.CharField(max_length=40, unique=True)
    description = models.CharField(max_length=500, blank=True)
    owners = models.JSONField(default=list)
    state = models.CharField(max_length=20, choices=_STATES, default=State.ACTIVE.value)
    node = models.CharField(max_length=40, blank=True, help_text="The server that has its files.")
    file = models.CharField(max_length=500, help_text="Where the descriptor was read from.")
    text = models.TextField(help_text="The descriptor as it was written.")
    written = models.JSONField(default=dict, help_text="Each written value by its path.")
    digest = models.CharField(max_length=64, help_text="Of all values in force, everywhere.")
    applied_at = models.DateTimeField()
    applied_by = models.CharField(max_length=200)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.CharField(max_length=200, blank=True)
    pause_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "service"
        ordering = ["name"]
        indexes = [
            models.Index(fields=["state", "name"]),
            models.Index(
                fields=["-paused_at"],
                condition=models.Q(paused_at__isnull=False),
                name="service_paused",
            ),
        ]

    @property
    def is_paused(self) -> bool:
        """Whether Steerway keeps its hands off."""
        return self.paused_at is not None


class Environment(models.Model):
    """A service in one environment; `resolved` are its sections with defaults, as JSON."""

    id = models.UUIDField(primary_key=True, default=new_id)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="environments")
    name = models.CharField(max_length=40)
    position = models.SmallIntegerField(help_text="From 0, in the order of the descriptor.")
    state = models.CharField(max_length=20, choices=_STATES, default=State.ACTIVE.value)
    config_digest = models.CharField(max_length=64)
    resolved: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        db_table = "environment"
        ordering = ["service", "position"]
        constraints = [
            models.UniqueConstraint(fields=["service", "name"], name="one_environment_a_name")
        ]
