"""What is stored of a rollout, read again."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from steerway.delivery.canaries import actions, queries
from steerway.delivery.canaries.models import CanaryEvidence
from steerway.delivery.canaries.rules import judging, records
from steerway.delivery.canaries.rules.judging import Counts, Tick
from steerway.delivery.verdicts.rules.plans import Plan
from steerway.delivery.verdicts.rules.verdicts import Move, Verdict
from steerway.platform.work import Work

DEPLOYMENT = UUID("01938b2e-0000-7000-8000-0123456789ab")
PLAN = Plan(rate=200)
GOOD = Tick({"errors": Counts(2, 198, 0, 0), "slow_p50": Counts(2, 198, 0.8, 99)})


def judged(work: Work, seconds: int) -> list[Verdict]:
    judgement, verdicts = judging.begin(PLAN), []
    for _ in range(seconds):
        judgement, verdict = judging.judge(judgement, GOOD)
        actions.note(work, DEPLOYMENT, judgement, verdict)
        verdicts.append(verdict)
    return verdicts


def test_a_rollout_goes_on_from_what_was_noted(work: Work) -> None:
    judged(work, 12)
    expected = judging.begin(PLAN)
    for _ in range(12):
        expected, _ = judging.judge(expected, GOOD)

    found = queries.judgement(DEPLOYMENT, PLAN)

    assert found is not None
    assert judging.stored(found) == judging.stored(expected)
    assert judging.judge(found, GOOD)[1] == judging.judge(expected, GOOD)[1]


def test_the_evidence_of_each_second_is_read_as_it_was(work: Work) -> None:
    verdicts = judged(work, 10)

    points = queries.evidence(DEPLOYMENT)
    latest = queries.latest(DEPLOYMENT)

    assert [one.verdict.evidence.second for one in points] == list(range(1, 11))
    assert latest == points[-1]
    for point, verdict in zip(points, verdicts, strict=True):
        assert point.verdict.reasons == verdict.reasons
        assert point.verdict.move is verdict.move
        assert point.verdict.evidence.nearness == pytest.approx(verdict.evidence.nearness, abs=1e-5)
        assert point.verdict.evidence.metrics[0].progress == pytest.approx(
            verdict.evidence.metrics[0].progress, abs=1e-5
        )
    assert queries.evidence(DEPLOYMENT, after=8) == points[8:]


def test_a_second_that_is_noted_twice_is_one_second(work: Work) -> None:
    judgement, verdict = judging.judge(judging.begin(PLAN), GOOD)

    for _ in range(2):
        actions.note(work, DEPLOYMENT, judgement, verdict)

    assert len(queries.evidence(DEPLOYMENT)) == 1


def test_a_long_rollout_is_thinned_for_a_picture_but_never_where_it_moved(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = judged(work, 25)
    monkeypatch.setattr(queries, "POINTS_MAX", 5)

    seconds = [one.verdict.evidence.second for one in queries.evidence(DEPLOYMENT)]

    moved = {one.evidence.second for one in verdicts if one.move is Move.ADVANCE}
    assert moved == {8, 18}
    assert seconds == sorted({5, 10, 15, 20, 25} | moved)


@pytest.mark.parametrize(
    ("second", "move", "kept"),
    [
        (3600, Move.STAY, True),
        (3601, Move.STAY, False),
        (3610, Move.HOLD, True),
        (90_001, Move.ROLL_BACK, True),
        (90_010, Move.STAY, False),
        (90_060, Move.STAY, True),
    ],
)
def test_a_rollout_that_lasts_leaves_fewer_and_fewer_rows(
    second: int, move: Move, *, kept: bool
) -> None:
    assert records.is_kept(second, move) is kept


def test_old_evidence_is_forgotten(work: Work) -> None:
    judged(work, 3)
    later = replace(work, now=work.now + timedelta(days=91))

    assert actions.forget(work) == 0
    assert actions.forget(later) == 3
    assert not CanaryEvidence.objects.exists()
    assert queries.judgement(DEPLOYMENT, PLAN) is None


def test_nothing_is_known_of_a_rollout_that_has_not_begun(work: Work) -> None:
    assert queries.latest(DEPLOYMENT) is None
    assert queries.judgement(DEPLOYMENT, PLAN) is None
