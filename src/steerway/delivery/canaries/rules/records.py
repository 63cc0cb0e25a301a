"""Evidence as it is stored: compact JSON, fit to be drawn, and how much of it is kept."""

from typing import Any, Final

from steerway.delivery.verdicts.rules.verdicts import (
    Answer,
    Evidence,
    MetricEvidence,
    Move,
    Verdict,
    Why,
)

HOUR: Final = 3600
DAY: Final = 24 * HOUR
DIGITS: Final = 5  # of a logarithm or a count: finer than any picture


def compact(verdict: Verdict) -> dict[str, Any]:
    """A verdict and its evidence as plain values; about 1 kB of JSON."""
    found = verdict.evidence
    return {
        "second": found.second,
        "stage": found.stage,
        "percent": found.percent,
        "next": verdict.percent,
        "answer": str(found.answer),
        "move": int(found.move),
        "why": int(found.why),
        "log_e": _rounded(found.log_e),
        "boundary": _rounded(found.boundary),
        "reasons": list(verdict.reasons),
        "metrics": [_listed(one) for one in found.metrics],
    }


def expanded(stored: dict[str, Any]) -> Verdict:
    """What `compact` was made of, to its digits."""
    answer, move, why = Answer(stored["answer"]), Move(stored["move"]), Why(stored["why"])
    evidence = Evidence(
        second=stored["second"],
        stage=stored["stage"],
        percent=stored["percent"],
        answer=answer,
        move=move,
        why=why,
        log_e=stored["log_e"],
        boundary=stored["boundary"],
        metrics=tuple(MetricEvidence(*one) for one in stored["metrics"]),
    )
    return Verdict(answer, move, why, stored["next"], tuple(stored["reasons"]), evidence)


def is_kept(second: int, move: Move) -> bool:
    """Whether the evidence of a second is stored: all of an hour, then every tenth, then minutes.

    What moved anything always is. So a rollout that is held for a month leaves 55,000 rows.
    """
    if move in {Move.ADVANCE, Move.ROLL_BACK, Move.STEP_BACK, Move.FINISH}:
        return True
    return second <= HOUR or second % (10 if second <= DAY else 60) == 0


def _listed(one: MetricEvidence) -> list[Any]:
    return [
        one.name,
        _rounded(one.log_e),
        _rounded(one.boundary),
        _rounded(one.gate),
        _rounded(one.gate_boundary),
        one.gate_needed,
        one.gate_passed,
        _rounded(one.trials_canary),
        _rounded(one.bad_canary),
        _rounded(one.trials_stable),
        _rounded(one.bad_stable),
    ]


def _rounded(value: float) -> float:
    return round(value, DIGITS)
