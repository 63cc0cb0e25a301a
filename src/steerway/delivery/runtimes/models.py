"""The table of replicas: what should run, where, and what was last seen of it."""

from typing import ClassVar

from django.db import models

from steerway.delivery.runtimes.rules import (
    NAME_LENGTH_MAX,
    Condition,
    ProcessState,
    Program,
    condition,
    restored,
)
from steerway.platform.db import new_id


class Replica(models.Model):
    """One copy of a deployment's release, until it is retired.

    `spec` is its program as `rules.stored` gives it, secrets sealed; empty until it is equipped
    and again once it is retired. `sender` is the hash of the token that it sends its telemetry
    with, for as long.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    deployment_id = models.UUIDField()
    service = models.CharField(max_length=40)
    environment = models.CharField(max_length=40)
    index = models.PositiveSmallIntegerField()
    program = models.CharField(max_length=NAME_LENGTH_MAX, unique=True)
    port = models.PositiveIntegerField(null=True, help_text="None when it serves nothing.")
    wanted = models.BooleanField(default=False, help_text="It should run now.")
    routed = models.BooleanField(default=False, help_text="The router may send it requests.")
    spec = models.JSONField(default=dict)
    sender = models.CharField(max_length=64, blank=True)
    placed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    # What was last seen of it.
    state = models.CharField(
        max_length=20,
        choices=[(s.value, s.value) for s in ProcessState],
        default=ProcessState.STOPPED.value,
    )
    pid = models.PositiveIntegerField(null=True)
    started_at = models.DateTimeField(null=True, help_text="When its process was started.")
    exits = models.PositiveIntegerField(default=0)
    last_exit = models.CharField(max_length=200, blank=True)
    looping = models.BooleanField(default=False, help_text="It keeps ending soon after its start.")
    seen_at = models.DateTimeField(null=True, help_text="When any of this last changed.")

    class Meta:
        db_table = "replica"
        ordering: ClassVar = ["service", "environment", "deployment_id", "index"]
        indexes: ClassVar = [
            models.Index(
                fields=["service", "environment"],
                condition=models.Q(retired_at=None),
                name="replica_live",
            ),
            models.Index(
                fields=["sender"], condition=models.Q(retired_at=None), name="replica_sender"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["deployment_id", "index"], name="one_replica_an_index"),
            models.UniqueConstraint(
                fields=["port"], condition=models.Q(retired_at=None), name="one_replica_a_port"
            ),
        ]

    def __str__(self) -> str:
        return self.program

    @property
    def condition(self) -> Condition:
        """How it is, in one word for people."""
        return condition(
            ProcessState(self.state),
            is_seen=self.seen_at is not None,
            wanted=self.wanted,
            looping=self.looping,
            routed=self.routed,
            serves=self.port is not None,
        )

    @property
    def address(self) -> str:
        """Where it answers, on this host."""
        return f"127.0.0.1:{self.port}"

    def to_run(self) -> Program:
        """The program it was equipped with."""
        assert self.spec, f"{self.program} was placed but not equipped"
        return restored(self.spec)
