"""Exposures under traffic that is simulated with a seed: what is worse is known, nothing else."""

from collections.abc import Iterator

import numpy as np
import pytest

from steerway.delivery.exposures.rules import judging
from steerway.delivery.exposures.rules.counting import Counted
from steerway.delivery.exposures.rules.judging import PLAN, Judged, begun, judge, restored
from steerway.delivery.exposures.rules.words import evidence, reason, sentence
from steerway.delivery.verdicts.rules.evalues import HARM, Margin, Seen, log_e
from steerway.delivery.verdicts.rules.verdicts import Answer

SEED = 20261124
EXPOSURES = 40


def run(looks: Iterator[list[Counted]]) -> list[list[Answer]]:
    """The answers of many exposures look by look, each until it is worse."""
    found: list[list[Answer]] = []
    judgements = None
    for counts in looks:
        judgements = judgements or [restored(begun()) for _ in counts]
        judged = judge(list(zip(judgements, counts, strict=True)))
        judgements = [restored(one.record) for one in judged]
        found.append([one.answer for one in judged])
    return found


def traffic(
    *, looks: int, bad: float, bad_rest: float, share: float = 0.2, requests: int = 60
) -> Iterator[list[Counted]]:
    """Forty exposures at once, of which each look has about so many requests.

    The share of a look swings, as it does when few users make many requests; all fail more often
    for a while.
    """
    chance = np.random.default_rng(SEED)
    for look in range(looks):
        outage = 0.3 if 20 <= look < 30 else 0.0
        shares = chance.beta(8 * share, 8 * (1 - share), EXPOSURES)
        both = chance.poisson(requests, EXPOSURES) + judging.STRETCH_MIN
        variant = np.clip(chance.binomial(both, shares), 1, both - 1)
        rest = both - variant
        failed = chance.binomial(variant, min(bad + outage, 1.0))
        failed_rest = chance.binomial(rest, min(bad_rest + outage, 1.0))
        rows = zip(variant, failed, rest, failed_rest, strict=True)
        yield [Counted(*map(int, row)) for row in rows]


def test_what_is_no_worse_is_not_turned_off() -> None:
    answers = run(traffic(looks=80, bad=0.01, bad_rest=0.01))

    worse = sum(Answer.WORSE in one for one in zip(*answers, strict=True))
    assert worse == 0


def test_what_never_fails_is_proven_to_be_no_worse() -> None:
    (found,) = judge([(restored(begun()), Counted(10_000, 0, 40_000, 0))])

    assert (found.answer, found.progress) == (Answer.BETTER, 1.0)


@pytest.mark.parametrize(("bad", "looks"), [(1.0, 2), (0.3, 8), (0.12, 30)])
def test_what_is_worse_is_known_soon(bad: float, looks: int) -> None:
    answers = run(traffic(looks=looks, bad=bad, bad_rest=0.01))

    worse = sum(Answer.WORSE in one for one in zip(*answers, strict=True))
    assert worse >= EXPOSURES - 2


def test_a_fault_that_comes_late_is_known_too() -> None:
    good = traffic(looks=40, bad=0.0, bad_rest=0.0)
    faulty = traffic(looks=15, bad=0.5, bad_rest=0.0)

    answers = run(one for part in (good, faulty) for one in part)

    assert sum(Answer.WORSE in one for one in zip(*answers, strict=True)) == EXPOSURES


def test_the_evidence_is_that_of_the_formula_with_the_share_of_the_stretch() -> None:
    (found,) = judge([(restored(begun()), Counted(10, 4, 30, 2))])

    margin = Margin(1.25, 2e-4)
    bets = log_e(Seen(np.array(4.0), np.array(2.0), np.array(10.0)), 0.25, HARM, margin)
    assert np.exp(found.log_e) == pytest.approx(0.5 + 0.5 * np.exp(bets).mean())


def test_exposures_that_are_judged_together_are_judged_as_alone() -> None:
    rows = [Counted(10, 4, 30, 2), Counted(30, 0, 10, 5), Counted(1, 1, 19, 0)]

    together = judge([(restored(begun()), one) for one in rows])

    assert together == [judge([(restored(begun()), one)])[0] for one in rows]
    assert judge([]) == []


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (Counted(), False),
        (Counted(3, 3, 0, 0), False),
        (Counted(0, 0, 500, 0), False),
        (Counted(500, 500, 0, 0), False),
        (Counted(4, 0, 15, 0), False),
        (Counted(4, 0, 16, 0), True),
    ],
)
def test_a_stretch_needs_requests_of_both(counted: Counted, expected: bool) -> None:
    assert judging.is_enough(counted) is expected


def test_the_words_have_the_counts_of_both() -> None:
    one = Counted(412, 21, 8240, 8)

    assert sentence(Answer.NOT_ENOUGH, "on", "off", Counted()).startswith("No request")
    assert sentence(Answer.BETTER, "on", "off", one) == (
        "Better or equal: 5.1 % of 412 requests failed with on, 0.0971 % of 8,240 with off."
    )
    assert reason("on", "off", one, 7.2) == (
        "on is worse than off: 5.1 % of 412 requests failed with on, 0.0971 % of 8,240 with off "
        "(evidence 1,339, and 1,000 decides)."
    )
    assert evidence("on", "off", one, 900.0)["evidence"] == 1e6


def test_it_is_near_to_being_turned_off_before_it_is() -> None:
    (found,) = judge([(restored(begun()), Counted(4, 3, 16, 1))])

    assert isinstance(found, Judged)
    assert 0 < found.nearness < 1
    assert PLAN.alpha == 1e-3
