"""Analyses over HTTP."""

from typing import Annotated

from ninja import Query, Router

from steerway.delivery.analyses import actions, queries
from steerway.delivery.analyses.models import Analysis
from steerway.delivery.analyses.wire import AnalysisOut, ApprovalIn
from steerway.delivery.canaries import queries as canaries
from steerway.platform.web.request import SteerwayRequest

router = Router(tags=["deployments"])


@router.get("/{ref}/analysis", response=AnalysisOut)
def show(
    request: SteerwayRequest,
    ref: str,
    after: Annotated[int, Query(ge=0, le=2**31, description="Seconds that are known.")] = 0,
) -> AnalysisOut:
    """How the new version compares, second by second; at most 600 points."""
    return _out(queries.get(ref), after=after)


@router.post("/{ref}/analysis/pause", response=AnalysisOut)
def pause(request: SteerwayRequest, ref: str) -> AnalysisOut:
    """Keep the new version at its share."""
    actions.pause(request.work, queries.get(ref))
    return _out(queries.get(ref))


@router.post("/{ref}/analysis/resumption", response=AnalysisOut)
def resume(request: SteerwayRequest, ref: str) -> AnalysisOut:
    """Let it go on."""
    actions.resume(request.work, queries.get(ref))
    return _out(queries.get(ref))


@router.post("/{ref}/analysis/approval", response=AnalysisOut)
def approve(request: SteerwayRequest, ref: str, body: ApprovalIn) -> AnalysisOut:
    """Let it take a step that a person must approve."""
    actions.approve(request.work, queries.get(ref), percent=body.percent)
    return _out(queries.get(ref))


@router.post("/{ref}/analysis/promotion", response=AnalysisOut)
def promote(request: SteerwayRequest, ref: str) -> AnalysisOut:
    """Give it everything now."""
    actions.promote(request.work, queries.get(ref))
    return _out(queries.get(ref))


def _out(analysis: Analysis, *, after: int | None = None) -> AnalysisOut:
    if after is None:
        newest = canaries.latest(analysis.deployment_id)
        return AnalysisOut.of(analysis, [newest] if newest else [])
    return AnalysisOut.of(analysis, canaries.evidence(analysis.deployment_id, after=after))
