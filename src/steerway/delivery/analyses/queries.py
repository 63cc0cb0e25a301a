"""Reading analyses."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from steerway.delivery.analyses.errors import NotJudged
from steerway.delivery.analyses.models import Analysis
from steerway.delivery.analyses.rules.words import State
from steerway.platform.numbers.rules import number_of


def of(deployment_id: UUID) -> Analysis | None:
    """The analysis of a deployment; None where it is not judged, or not yet."""
    return Analysis.objects.filter(deployment_id=deployment_id).first()


def get(ref: str) -> Analysis:
    """The analysis of a deployment by `DEP-12` or `12`.

    Raises:
        NotJudged: there is none.
    """
    number = number_of(ref)
    name = f"DEP-{number}"
    found = Analysis.objects.filter(ref=name).first() if number is not None else None
    if found is None:
        raise NotJudged(ref=ref)
    return found


def worse_before(deployment_ids: Iterable[UUID]) -> list[Analysis]:
    """Those of these deployments that were found worse, newest first."""
    found = Analysis.objects.filter(deployment_id__in=list(deployment_ids))
    return list(found.filter(state=State.WORSE.value).order_by("-begun_at"))


def running_ids() -> QuerySet[Any]:
    """The deployments that are being judged, for another query to choose by."""
    return Analysis.objects.filter(state=State.RUNNING.value).values("deployment_id")
