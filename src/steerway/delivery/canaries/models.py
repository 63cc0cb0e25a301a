"""The tables of judgements: what is remembered of each rollout, and what its seconds showed."""

from typing import ClassVar

from django.db import models


class CanaryJudgement(models.Model):
    """All that is remembered of one rollout, as `rules.judging.stored` gives it."""

    deployment_id = models.UUIDField(primary_key=True)
    second = models.PositiveIntegerField(help_text="Seconds that are judged.")
    record = models.BinaryField()
    judged_at = models.DateTimeField()

    class Meta:
        db_table = "canary_judgement"

    def __str__(self) -> str:
        return f"{self.deployment_id} after {self.second} s"


class CanaryEvidence(models.Model):
    """What was known after one second, as `rules.records.compact` gives it."""

    deployment_id = models.UUIDField()
    second = models.PositiveIntegerField()
    at = models.DateTimeField(db_index=True)
    evidence = models.JSONField()

    class Meta:
        db_table = "canary_evidence"
        ordering: ClassVar = ["deployment_id", "second"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["deployment_id", "second"], name="one_evidence_a_second"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deployment_id} second {self.second}"
