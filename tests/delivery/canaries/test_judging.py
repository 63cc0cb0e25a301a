"""One rollout: what is said of it, and that it goes on from its record."""

from dataclasses import replace

import numpy as np
import pytest

from steerway.delivery.canaries.errors import RecordUnreadable
from steerway.delivery.canaries.rules import judging
from steerway.delivery.canaries.rules.judging import Counts, Judgement, Tick
from steerway.delivery.verdicts.rules import fleet
from steerway.delivery.verdicts.rules.plans import ERRORS, Plan, Stage
from steerway.delivery.verdicts.rules.signals import Failing, always_failing
from steerway.delivery.verdicts.rules.terms import terms
from steerway.delivery.verdicts.rules.verdicts import Answer, Move, Verdict, Why

PLAN = Plan(metrics=(replace(ERRORS, share=1.0),), rate=200)


def tick(canary: float, stable: float, failed: float = 0, others: float = 0) -> Tick:
    return Tick({"errors": Counts(canary, stable, failed, others)})


def after(judgement: Judgement, one: Tick, times: int) -> tuple[Judgement, Verdict]:
    for _ in range(times):
        judgement, verdict = judging.judge(judgement, one)
    return judgement, verdict


def test_a_release_that_fails_is_worse_and_says_by_how_much() -> None:
    judgement, _ = after(judging.begin(PLAN), tick(2, 198, 0, 0.2), 5)

    _, verdict = after(judgement, tick(2, 198, 2, 0.2), 2)

    assert (verdict.answer, verdict.move, verdict.percent) == (Answer.WORSE, Move.ROLL_BACK, 0)
    assert verdict.reasons[0].startswith("Worse, by errors: the evidence is ")
    assert verdict.reasons[0].endswith(", and 1,000 decides.")
    assert verdict.reasons[1].startswith(
        "errors: 28.6 % of 14 requests failed, 0.101 % of 1,386 on the stable version (evidence "
    )


def test_a_release_that_is_good_goes_on_and_says_that_it_is_better_or_equal() -> None:
    judgement, verdict = after(judging.begin(PLAN), tick(2, 198), 8)

    assert (verdict.answer, verdict.move, verdict.percent) == (Answer.BETTER, Move.ADVANCE, 5)
    assert verdict.evidence.percent == 1
    assert judgement.percent == 5


def test_three_requests_are_not_enough_data_and_hold() -> None:
    judgement, _ = after(judging.begin(PLAN), tick(1, 99), 3)

    _, verdict = after(judgement, tick(0, 0), 57)

    assert (verdict.answer, verdict.move) == (Answer.NOT_ENOUGH, Move.HOLD)
    assert verdict.reasons[0] == (
        "Not enough data at 1 %: errors has 3 of the 8 requests that a step needs."
    )


def test_topped_up_traffic_lets_a_silent_rollout_finish() -> None:
    judgement, _ = after(judging.begin(PLAN), tick(0, 0), 60)
    moves = []
    for _ in range(900):
        share = judgement.percent / 100
        judgement, verdict = judging.judge(judgement, tick(20 * share, 20 * (1 - share)))
        moves += [verdict.move] * bool(verdict.move % Move.HOLD)
        if verdict.move is Move.FINISH:
            break

    assert moves[-1] is Move.FINISH


def test_a_metric_that_nobody_can_measure_is_no_good_news() -> None:
    metric = replace(ERRORS, name="payments", share=0.5)
    plan = Plan(metrics=(replace(ERRORS, share=0.5), metric), rate=200)

    _, verdict = after(judging.begin(plan), tick(2, 198), 60)

    assert (verdict.answer, verdict.why) == (Answer.NOT_ENOUGH, Why.SILENCE)
    assert "payments has 0 of the 8 requests" in verdict.reasons[0]


def test_a_canary_that_gets_no_traffic_is_held_and_the_reason_is_the_traffic() -> None:
    _, verdict = after(judging.begin(PLAN), tick(0, 200), 60)

    assert (verdict.answer, verdict.why) == (Answer.NOT_ENOUGH, Why.STARVED)


def test_a_canary_without_a_replica_that_answers_is_rolled_back_in_five_seconds() -> None:
    down = Tick({}, is_down=True)

    judgement, verdict = after(judging.begin(PLAN), down, 4)
    assert verdict.move is Move.STAY

    _, verdict = judging.judge(judgement, down)
    assert (verdict.answer, verdict.why) == (Answer.WORSE, Why.DOWN)


def test_a_brake_keeps_a_good_release_where_it_is_but_not_a_bad_one() -> None:
    braked = replace(tick(2, 198), brake="alice has not approved 5 % yet")
    judgement, verdict = after(judging.begin(PLAN), braked, 12)

    assert (verdict.move, judgement.percent) == (Move.HOLD, 1)
    assert verdict.reasons[0] == "Ready to go on, and held: alice has not approved 5 % yet."

    _, verdict = after(judgement, replace(tick(2, 198, 2), brake="still"), 3)
    assert verdict.move is Move.ROLL_BACK


def test_a_person_may_send_it_to_any_stage_and_the_evidence_stays() -> None:
    judgement, before = after(judging.begin(PLAN), tick(2, 198, 1, 0.2), 1)

    judgement = judging.at_stage(judgement, 4)
    _, verdict = judging.judge(judgement, tick(0, 0))

    assert judgement.percent == 100
    assert verdict.evidence.log_e == pytest.approx(before.evidence.log_e, abs=0.1)


def test_a_rollout_ends_better_or_equal_only_when_its_last_gate_was_passed_by_proof() -> None:
    plan = replace(PLAN, stages=(Stage(0.5, 10, 20),), bake=10, rate=1)

    proven, _ = after(judging.begin(plan), tick(1000, 1000), 10)
    waited, _ = after(judging.begin(plan), tick(1, 1), 20)

    assert after(proven, tick(2000, 0), 10)[1].answer is Answer.BETTER
    assert after(waited, tick(2, 0), 10)[1].answer is Answer.NOT_ENOUGH


def test_a_judgement_goes_on_from_its_record_as_if_nothing_had_happened() -> None:
    random = np.random.default_rng(3)
    ticks = [tick(10, 190, random.binomial(10, 0.01), 1) for _ in range(60)]
    straight = broken = judging.begin(PLAN, {"errors": 1.7})
    for one in ticks:
        straight, expected = judging.judge(straight, one)
        failing, _ = broken.failing.with_second(7, {("v2", "10.0.0.1", "/cart"): 2})
        broken = judging.restored(PLAN, judging.stored(replace(broken, failing=failing)))
        broken, found = judging.judge(broken, one)

        assert found == expected


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{}\n",
        judging.stored(judging.begin(PLAN))[:-1],
        judging.stored(judging.begin(Plan())),
        judging.stored(judging.begin(PLAN)).replace(b'"format":1', b'"format":2'),
    ],
)
def test_a_record_that_does_not_fit_is_refused(record: bytes) -> None:
    with pytest.raises(RecordUnreadable):
        judging.restored(PLAN, record)


def test_many_rollouts_in_one_pass_get_the_verdicts_that_each_would_get() -> None:
    plans = [PLAN, replace(PLAN, rate=20), Plan(rate=200)]
    single = [judging.begin(one) for one in plans]
    found = terms(plans)
    state = fleet.begin(found)
    for second in range(40):
        ticks = [tick(4, 96, float(second % 13 == 0), 0.1) for _ in plans]
        state, verdicts = judging.judge_all(found, state, list(zip(plans, ticks, strict=True)))
        for at, one in enumerate(ticks):
            single[at], expected = judging.judge(single[at], one)
            assert verdicts[at].reasons == expected.reasons
            assert verdicts[at].move is expected.move


CALLER = ("v2", "10.0.0.1", "/cart")


def test_a_client_that_fails_again_and_again_weighs_less_each_time() -> None:
    other = ("v1", "10.0.0.1", "/cart")

    failing, first = Failing({}).with_second(1, {CALLER: 3})
    failing, second = failing.with_second(2, {CALLER: 20, other: 1})
    failing, later = failing.with_second(59, {CALLER: 1})
    _, much_later = failing.with_second(180, {CALLER: 1})

    assert first == {"v2": pytest.approx(1 + 1 / 2 + 1 / 3)}
    assert second == {"v2": pytest.approx(sum(1 / k for k in range(4, 11)) + 1.3), "v1": 1}
    assert later == {"v2": pytest.approx(0.1)}
    assert much_later == {"v2": 1}


def test_a_small_client_that_always_fails_comes_to_weigh_next_to_nothing() -> None:
    failing, _ = Failing({}).with_second(1, {CALLER: 1000})

    _, found = failing.with_second(2, {CALLER: 20}, {CALLER: 0.001})

    assert found["v2"] == pytest.approx(20 / 1010, rel=0.02)


def test_a_client_that_failed_before_the_release_is_left_out() -> None:
    requests, failures = {"a": 10, "b": 10, "c": 4}, {"a": 6, "b": 4, "c": 4}

    assert always_failing(requests, failures) == {"a"}


def test_a_person_who_promotes_at_once_has_proven_nothing() -> None:
    judgement, _ = after(judging.begin(PLAN), tick(2, 198), 8)

    _, verdict = after(judging.at_stage(judgement, 4), tick(200, 0), 120)

    assert (verdict.move, verdict.answer) == (Move.FINISH, Answer.NOT_ENOUGH)
