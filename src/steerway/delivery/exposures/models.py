"""The table of exposures that are judged."""

from typing import Any

from django.db import models

from steerway.delivery.declarations.models import Place
from steerway.delivery.exposures.rules.counting import COUNT_MAX, Counted, Counters
from steerway.delivery.exposures.rules.words import State


class ExposureJudgement(models.Model):
    """All that is remembered of one exposure: what is judged, and where counting goes on from.

    `counted` is by replica. `requests` and the others have the requests that wait for their
    stretch too, so that a page shows what was counted.
    """

    place = models.OneToOneField(
        Place, on_delete=models.CASCADE, primary_key=True, related_name="judgement"
    )
    variant = models.CharField(max_length=100)
    rest = models.CharField(max_length=100)
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in State])
    record = models.BinaryField()
    counted: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    answer = models.CharField(max_length=30)
    nearness = models.FloatField(default=0.0)
    progress = models.FloatField(default=0.0)
    requests = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    requests_rest = models.PositiveBigIntegerField(default=0)
    failed_rest = models.PositiveBigIntegerField(default=0)
    begun_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "flag_judgement"

    @property
    def counters(self) -> Counters:
        """The counters at the end of the last stretch."""
        return {replica: tuple(values) for replica, values in self.counted.items()}

    @property
    def seen(self) -> Counted:
        """What was counted since it began."""
        return Counted(self.requests, self.failed, self.requests_rest, self.failed_rest)

    @seen.setter
    def seen(self, now: Counted) -> None:
        self.requests = min(now.requests, COUNT_MAX)
        self.failed = min(now.failed, COUNT_MAX)
        self.requests_rest = min(now.requests_rest, COUNT_MAX)
        self.failed_rest = min(now.failed_rest, COUNT_MAX)
