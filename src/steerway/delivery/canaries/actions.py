"""Storing what is known of a rollout, second by second."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from steerway.delivery.canaries.models import CanaryEvidence, CanaryJudgement
from steerway.delivery.canaries.rules import judging, records
from steerway.delivery.canaries.rules.judging import Judgement
from steerway.delivery.verdicts.rules.verdicts import Verdict
from steerway.platform.work import Work

KEPT: Final = timedelta(days=90)  # what a rollout showed; its outcome is in the log for good
FORGOTTEN_MAX: Final = 20_000  # rows at once, so that nobody waits for the database


def note(work: Work, deployment_id: UUID, judgement: Judgement, verdict: Verdict) -> None:
    """Store a second: the judgement to go on from, and its evidence. Twice is harmless."""
    second = verdict.evidence.second
    CanaryJudgement.objects.update_or_create(
        deployment_id=deployment_id,
        defaults={
            "second": second,
            "record": judging.stored(judgement),
            "judged_at": work.now,
        },
    )
    if records.is_kept(second, verdict.move):
        CanaryEvidence.objects.update_or_create(
            deployment_id=deployment_id,
            second=second,
            defaults={"at": work.now, "evidence": records.compact(verdict)},
        )


def forget(work: Work) -> int:
    """Let go of what is older than 90 days; says how many rows that were."""
    old = CanaryEvidence.objects.filter(at__lt=work.now - KEPT).order_by("at")
    ids = list(old.values_list("id", flat=True)[:FORGOTTEN_MAX])
    CanaryEvidence.objects.filter(id__in=ids).delete()
    CanaryJudgement.objects.filter(judged_at__lt=work.now - KEPT).delete()
    return len(ids)
