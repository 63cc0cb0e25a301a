"""Reading analyses."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from steerway.delivery.analyses.errors import NotJudged
from steerway.delivery.analyses.models import Analysis
from steerway.delivery.analyses.rules import telling
from steerway.delivery.analyses.rules.telling import Facts, Headline, Row, Rung
from steerway.delivery.analyses.rules.words import State
from steerway.delivery.canaries import queries as canaries
from steerway.platform.numbers.rules import number_of


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an analysis stands, told to people."""

    analysis: Analysis
    headline: Headline
    rungs: list[Rung]
    rows: list[Row]
    reached: float

    @property
    def share(self) -> float:
        """What the new version has of the traffic now, in percent; at the end, what it had."""
        return self.analysis.percent if self.analysis.is_running else self.reached

    @property
    def rest(self) -> float:
        """What is left to the stable version."""
        return telling.ALL - self.share


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


def standing(deployment_id: UUID) -> Standing | None:
    """Where the analysis of a deployment stands; None where it is not judged, or not yet.

    Shape: two queries.
    """
    found = of(deployment_id)
    if found is None:
        return None
    newest = canaries.latest(deployment_id)
    known = Facts(
        state=found.state,
        answer=found.answer,
        percent=found.percent,
        steps=found.steps,
        reasons=found.reasons,
        reached=newest.verdict.evidence.percent if newest else found.percent,
        waits_for=found.waits_for,
        paused_by=found.paused_by,
        gates=found.section["approve"],
    )
    metrics = newest.verdict.evidence.metrics if newest else ()
    return Standing(
        analysis=found,
        headline=telling.headline(known),
        rungs=telling.ladder(known),
        rows=telling.rows(telling.plain(one) for one in metrics),
        reached=known.reached,
    )


def waiting(*, rows: int) -> list[Analysis]:
    """Those that go on only when somebody says so, the longest first."""
    running = Analysis.objects.filter(state=State.RUNNING.value).order_by("stage_at")[:rows]
    return [one for one in running if one.paused_by or one.waits_for is not None]
