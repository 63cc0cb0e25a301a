"""The table of analyses."""

from django.db import models

from steerway.delivery.analyses.rules.words import State, Wish

ALL = 100.0


class Analysis(models.Model):
    """One judged deployment: where it stands, what is known, and what people want of it.

    What is known of it is in `canaries`; with `places` it goes on after a crash as if nothing had
    happened.
    """

    deployment_id = models.UUIDField(primary_key=True)
    ref = models.CharField(max_length=40, help_text="What people call the deployment.")
    service = models.CharField(max_length=60)
    environment = models.CharField(max_length=60)
    version = models.CharField(max_length=200)
    stable_version = models.CharField(max_length=200)
    section = models.JSONField(help_text="The canary section in force.")
    rate = models.FloatField(default=0.0, help_text="Requests a second when it began.")
    phi = models.JSONField(default=dict, help_text="By metric, how failures cluster.")
    crowds = models.JSONField(default=list, help_text="Addresses that many clients share.")
    places = models.JSONField(default=list, help_text="Edges of the stable version's quantiles.")
    state = models.CharField(
        max_length=20, choices=[(s.value, s.value) for s in State], default=State.RUNNING.value
    )
    percent = models.FloatField(default=0.0)
    stage = models.SmallIntegerField(default=0)
    stage_at = models.DateTimeField(help_text="When it got the share it has.")
    answer = models.CharField(max_length=40, blank=True)
    reasons = models.JSONField(default=list)
    is_held = models.BooleanField(default=False)
    wish = models.CharField(
        max_length=20, choices=[(w.value, w.value) for w in Wish], blank=True, default=""
    )
    wished_by = models.CharField(max_length=200, blank=True)
    paused_by = models.CharField(max_length=200, blank=True)
    approved = models.JSONField(default=list, help_text="The steps that somebody approved.")
    is_dark = models.BooleanField(
        default=False, help_text="Nobody reaches it until somebody says so."
    )
    is_shadowed = models.BooleanField(default=False, help_text="It has answered its copies.")
    begun_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="The last second that was judged.")
    ended_at = models.DateTimeField(null=True)
    topped_up = models.BigIntegerField(default=0, help_text="Safe requests that were asked.")

    class Meta:
        db_table = "analysis"
        ordering = ["-begun_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "environment"],
                condition=models.Q(state=State.RUNNING.value),
                name="one_running_analysis",
            ),
        ]

    @property
    def is_running(self) -> bool:
        """Whether it may still change the share."""
        return self.state == State.RUNNING

    @property
    def steps(self) -> list[float]:
        """Its shares, in percent, without the last one, which is everything."""
        return [float(step) for step in self.section["steps"]]

    @property
    def next_step(self) -> float | None:
        """The share that comes after the one it has; None at 100 %."""
        return next((step for step in (*self.steps, ALL) if step > self.percent), None)

    @property
    def waits_for(self) -> float | None:
        """The step that somebody must approve before anything goes on."""
        step = self.next_step
        if self.is_running and not self.percent:
            return step if self.is_dark else None
        must = self.is_running and step in self.section["approve"] and step not in self.approved
        return step if must else None
