"""What is known of a rollout, and how it came to be known."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import F

from steerway.delivery.canaries.models import CanaryEvidence, CanaryJudgement
from steerway.delivery.canaries.rules import judging, records
from steerway.delivery.canaries.rules.judging import Judgement
from steerway.delivery.verdicts.rules.plans import Plan
from steerway.delivery.verdicts.rules.verdicts import Move, Verdict

POINTS_MAX: Final = 600  # of a picture: more are not seen


@dataclass(frozen=True, slots=True)
class Point:
    """One second of a rollout."""

    at: datetime
    verdict: Verdict


def judgement(deployment_id: UUID, plan: Plan) -> Judgement | None:
    """The judgement of a rollout as it was last stored; None before its first second.

    Raises:
        RecordUnreadable: it is of another plan.
    """
    found = CanaryJudgement.objects.filter(deployment_id=deployment_id).first()
    return judging.restored(plan, bytes(found.record)) if found else None


def latest(deployment_id: UUID) -> Point | None:
    """What is known now; None before the first second."""
    found = CanaryEvidence.objects.filter(deployment_id=deployment_id).order_by("-second").first()
    return _point(found) if found else None


def evidence(deployment_id: UUID, *, after: int = 0) -> list[Point]:
    """How the evidence grew after a second, oldest first, thinned to what a picture shows.

    Seconds that moved the traffic are always among them, and so is the last one.
    """
    rows = CanaryEvidence.objects.filter(deployment_id=deployment_id, second__gt=after)
    every = max(1, -(-rows.count() // POINTS_MAX))
    moved = rows.filter(evidence__move__in=[m for m in Move if m not in {Move.STAY, Move.HOLD}])
    if every > 1:
        thinned = rows.annotate(part=F("second") % every).filter(part=0)
        last = rows.order_by("-second")[:1]
        found = {one.second: one for group in (thinned, moved, last) for one in group}
        return [_point(found[second]) for second in sorted(found)]
    return [_point(one) for one in rows]


def _point(row: CanaryEvidence) -> Point:
    return Point(row.at, records.expanded(row.evidence))
